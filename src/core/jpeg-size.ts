/**
 * The size of a JPEG from its header (ITU-T T.81, Annex B), without the trip to a thread that asking a decoder for it takes.
 * Null where the header says more than a size (Exif may turn the picture) or anything unusual: a decoder reads that.
 */
export function jpegSize(bytes: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2; // behind the mark of its start
  while (at + FRAME_HEADER <= bytes.length) {
    const marker = view.getUint16(at);
    if (marker === BASELINE || marker === PROGRESSIVE) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return width > 0 && height > 0 ? { width, height } : null; // a height of 0 comes later in the file
    }
    const passable = TABLES.has(marker) || (marker >= FIRST_APP && marker <= COMMENT);
    if (!passable || isExif(view, at)) return null;
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

const BASELINE = 0xffc0;
const PROGRESSIVE = 0xffc2;
const TABLES = new Set([0xffc4, 0xffdb, 0xffdd]); // Huffman codes, quantisation, restart interval
const FIRST_APP = 0xffe0;
const COMMENT = 0xfffe;
const FRAME_HEADER = 10; // bytes up to the components

const isExif = (view: DataView, at: number) =>
  view.getUint16(at) === 0xffe1 && view.getUint32(at + 4) === 0x45786966; // APP1, "Exif"
