import sharp, { type OverlayOptions } from 'sharp';
import type { PreprocessRecord } from '../core/manifests.js';
import { createDecoder } from './sharp-decoder.js';

/**
 * A sheet of pictures as one PNG: rows of framed tiles with a caption under each, the first tile of a row (the
 * query) a little apart. Pictures are decoded as the service does it, so they are upright and within its limits.
 */
export interface SheetTile {
  bytes: Uint8Array; // of the picture's file
  caption: string; // cut to the tile's width
  frame: keyof typeof FRAMES;
}

export interface SheetPart {
  title: string;
  rows: SheetTile[][];
}

/** Green and red that are told apart without colour vision, too (Okabe and Ito 2008). */
export const FRAMES = {
  query: '#1a1a1a',
  same: '#009e73', // label as the query's
  other: '#d55e00',
  none: '#bdbdbd', // no label to compare
} as const;

/** Pixels. */
export const SHEET = {
  tile: 96,
  frame: 4,
  gap: 6,
  afterQuery: 14,
  caption: 18,
  title: 34,
  margin: 16,
} as const;
const CELL = SHEET.tile + 2 * SHEET.frame;
const ROW = CELL + SHEET.caption + SHEET.gap;

const SQUARE: PreprocessRecord = {
  resize: { shorter_side: SHEET.tile },
  crop: { width: SHEET.tile, height: SHEET.tile },
  kernel: 'lanczos3',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  background: [255, 255, 255],
};

/** Left edge of a tile's frame by its place in the row. */
export const leftOf = (column: number): number =>
  SHEET.margin + column * (CELL + SHEET.gap) + (column > 0 ? SHEET.afterQuery : 0);

/** Top edge of the frames of a row, counted through all parts; `part` says how many titles are above it. */
export const topOf = (row: number, part: number): number =>
  SHEET.margin + (part + 1) * SHEET.title + row * ROW;

/** PNG bytes of a sheet. Throws like the decoder for a picture that cannot be read. */
export async function composeSheet(parts: readonly SheetPart[]): Promise<Uint8Array> {
  const columns = Math.max(1, ...parts.flatMap(({ rows }) => rows.map((row) => row.length)));
  const rows = parts.reduce((sum, part) => sum + part.rows.length, 0);
  const width = leftOf(columns - 1) + CELL + SHEET.margin;
  const height = topOf(rows, parts.length - 1) + SHEET.margin;
  const overlays: OverlayOptions[] = [];
  let row = 0;
  for (const [i, part] of parts.entries()) {
    const top = topOf(row, i) - SHEET.title + 9;
    const room = width - 2 * SHEET.margin;
    overlays.push(...(await words(part.title, { left: SHEET.margin, top, room, size: 15, centred: false })));
    for (const tiles of part.rows) {
      for (const [column, tile] of tiles.entries())
        overlays.push(...(await placed(tile, leftOf(column), topOf(row, i))));
      row++;
    }
  }
  const ground = sharp({ create: { width, height, channels: 3, background: '#ffffff' } });
  return ground.composite(overlays).png({ palette: true, quality: 90, effort: 8 }).toBuffer();
}

async function placed({ bytes, caption, frame }: SheetTile, left: number, top: number) {
  const { image } = await createDecoder().decode(bytes, SQUARE);
  const raw = { width: image.width, height: image.height, channels: 3 as const };
  const below = { left, top: top + CELL + 3, room: CELL, size: 11, centred: true };
  return [
    { input: { create: { width: CELL, height: CELL, channels: 3, background: FRAMES[frame] } }, left, top },
    { input: image.data, raw, left: left + SHEET.frame, top: top + SHEET.frame },
    ...(await words(caption, below)),
  ] as OverlayOptions[];
}

interface Place {
  left: number;
  top: number;
  room: number; // width, pixels
  size: number; // of the font, pixels
  centred: boolean;
}

/** Words in a place, cut with an ellipsis where they are wider. Nothing for no words. */
async function words(text: string, { left, top, room, size, centred }: Place): Promise<OverlayOptions[]> {
  for (let kept = text; kept.trim() !== ''; ) {
    const { data, info } = await drawn(kept, size);
    if (info.width <= room)
      return [{ input: data, left: left + (centred ? Math.floor((room - info.width) / 2) : 0), top }];
    const letters = kept.replace(/…$/, '');
    kept = `${letters.slice(0, Math.min(letters.length - 1, Math.floor((letters.length * room) / info.width)))}…`;
  }
  return [];
}

function drawn(text: string, size: number) {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const markup = `<span foreground="#1a1a1a">${escaped}</span>`;
  return sharp({ text: { text: markup, font: `sans ${size}`, rgba: true, dpi: 72, wrap: 'none' } })
    .png()
    .toBuffer({ resolveWithObject: true });
}
