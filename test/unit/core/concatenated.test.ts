import { describe, expect, it } from 'vitest';
import { concatenated } from '../../../src/core/concatenated.js';

describe('parts that are concatenated', () => {
  it('stand in their order, whatever their lengths, in memory of their own', () => {
    const parts = [Float32Array.of(1, 2.5), new Float32Array(0), Float32Array.of(-3)];
    const all = concatenated(Float32Array, parts);
    expect(all).toEqual(Float32Array.of(1, 2.5, -3));
    all[0] = 9;
    expect(parts[0]![0]).toBe(1);
    const bytes = concatenated(Uint8Array, [Buffer.from('ab')]); // a buffer of Node's pool
    expect([bytes, bytes.buffer.byteLength]).toEqual([Uint8Array.of(97, 98), 2]);
  });

  it('may be none', () => {
    expect(concatenated(Int32Array, [])).toEqual(new Int32Array(0));
  });
});
