// Row 6: the encoder in float32 and in 8-bit integers (`lookalike quantise`), one picture at a time.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDecoder, createEmbedder, listImages, readModel } from '../../dist/offline.js';
import { int8Model } from '../int8-model.mjs';
import { inTurns, ratio } from '../kit.mjs';

export const row = {
  id: 'encoder',
  needs: ['pictures'],
  title: 'The encoder in 8-bit integers (row 6)',
  async run(context) {
    const { model, pictures, quick, say } = context;
    const small = int8Model(context);
    const { manifest } = await readModel(model);
    const decoder = createDecoder();
    const images = await listImages(pictures);
    const taken = Array.from(
      { length: quick ? 20 : 200 },
      (_, i) => images[Math.floor((i * images.length) / 200) % images.length],
    );
    const decoded = await Promise.all(
      taken.map(async ({ path }) => {
        const { image } = await decoder.decode(await readFile(path), manifest.preprocess);
        return [image];
      }),
    );
    const float = await createEmbedder(model);
    const whole = await createEmbedder(small);
    try {
      const picture = (i) => decoded[i % decoded.length];
      say('one picture at a time');
      const sides = await inTurns(
        [
          { name: 'float32', once: (i) => float.embed(picture(i)).then(() => undefined) },
          { name: '8-bit', once: (i) => whole.embed(picture(i)).then(() => undefined) },
        ],
        { rounds: quick ? 20 : 200, warmUp: 10 },
      );
      let cosine = 0;
      for (let i = 0; i < decoded.length; i++) {
        const [a, b] = [await float.embed(picture(i)), await whole.embed(picture(i))];
        cosine += a.reduce((sum, value, n) => sum + value * b[n], 0);
      }
      const mean = cosine / decoded.length;
      const { accuracy } = JSON.parse(readFileSync(join(small, 'manifest.json'), 'utf8'));
      return {
        sides,
        ratios: [
          ratio('times as fast', sides.float32.median / sides['8-bit'].median, 1.8, { atLeast: true }),
          ratio('mean cosine to float32', mean, 0.99, { atLeast: true }),
        ],
        facts: { pictures: decoded.length, input: manifest.input, accuracy },
        notes: [],
      };
    } finally {
      await Promise.all([float.close(), whole.close()]);
    }
  },
};
