/** Types by first bytes: every type that is known, and what only looks like one. */
import { describe, expect, it } from 'vitest';
import { IMAGE_FILE, sniffImageType } from '../../../src/core/sniff.js';

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const HEADS: [string, string][] = [
  ['jpeg', '\xff\xd8\xff\xe0\0\x10JFIF\0'],
  ['jpeg', '\xff\xd8\xff\xe1'],
  ['png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
  ['webp', 'RIFF\x24\0\0\0WEBPVP8 '],
  ['GIF', 'GIF87a'],
  ['GIF', 'GIF89a'],
  ['AVIF', '\0\0\0\x20ftypavif'],
  ['AVIF', '\0\0\0\x20ftypavis'],
  ['HEIC', '\0\0\0\x18ftypheic'],
  ['HEIC', '\0\0\0\x18ftypheix'],
  ['HEIF', '\0\0\0\x18ftypmif1'],
  ['MP4', '\0\0\0\x18ftypisom'],
  ['BMP', 'BM\x36\0\0\0'],
  ['TIFF', 'II*\0\x08\0\0\0'],
  ['TIFF', 'MM\0*\0\0\0\x08'],
  ['TIFF', 'II+\0\x08\0'],
  ['PDF', '%PDF-1.7\n'],
  ['JPEG XL', '\xff\x0a\xfa'],
  ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg">'],
  ['SVG', '<?xml version="1.0"?><svg>'],
  ['SVG', '\n  <!DOCTYPE svg PUBLIC>'],
];

describe('sniffImageType', () => {
  it.each(HEADS)('knows %s', (type, head) => {
    expect(sniffImageType(bytes(head))).toBe(type);
  });

  it('knows nothing in anything else', () => {
    const others = [
      '',
      '\xff',
      '\xff\xd8',
      '\x89PNG\r\n\x1a',
      '\x89PNG\n\x1a\n\n',
      'RIFF\0\0\0\0WAVE',
      'GIF',
      'text',
    ];
    for (const head of others) expect(sniffImageType(bytes(head))).toBeNull();
    expect(sniffImageType(new Uint8Array(1000))).toBeNull();
  });

  it('reads a view on a larger buffer from where it starts', () => {
    const larger = bytes(`........GIF89a`);
    expect(sniffImageType(larger.subarray(8))).toBe('GIF');
    expect(sniffImageType(larger)).toBeNull();
  });
});

describe('IMAGE_FILE', () => {
  it('takes the three types by extension, whatever their case', () => {
    for (const name of ['a.jpg', 'a.JPEG', 'a.b.Png', 'é.webp', '.jpg'])
      expect(IMAGE_FILE.test(name)).toBe(true);
    for (const name of ['a.gif', 'jpg', 'a.jpg.txt', 'a.jpgx', 'a.svg'])
      expect(IMAGE_FILE.test(name)).toBe(false);
  });
});
