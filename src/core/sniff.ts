/** Picture types by their first bytes: what a file says it is counts, never its name or Content-Type. */

const ascii = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, Math.min(to, bytes.length)));

const BY_BRAND: Record<string, string> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  hevc: 'HEIC',
  mif1: 'HEIF',
  msf1: 'HEIF',
};

/** 'jpeg', 'png' or 'webp' for what is built in; another type's name in capitals; null when nothing known. */
export function sniffImageType(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (ascii(bytes, 0, 4) === 'GIF8') return 'GIF';
  if (ascii(bytes, 4, 8) === 'ftyp') return BY_BRAND[ascii(bytes, 8, 12)] ?? 'MP4';
  if (ascii(bytes, 0, 2) === 'BM') return 'BMP';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(ascii(bytes, 0, 4))) return 'TIFF';
  if (ascii(bytes, 0, 5) === '%PDF-') return 'PDF';
  if (ascii(bytes, 0, 4) === '\0\0\0\x0c' && ascii(bytes, 4, 8) === 'JXL ') return 'JPEG XL';
  if (bytes[0] === 0xff && bytes[1] === 0x0a) return 'JPEG XL';
  if (/^\s*(<\?xml|<svg|<!doctype svg)/i.test(ascii(bytes, 0, 256))) return 'SVG';
  return null;
}

/** The types that are decoded, as a person writes them. */
export const IMAGE_TYPES = ['JPEG', 'PNG', 'WebP'] as const;

/** File names that are worth opening in a folder. */
export const IMAGE_FILE = /\.(jpe?g|png|webp)$/i;
