/** What goes wrong around a training: how it is told, how it ends, and that the last good state is kept. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeReady } from '../unit/trainer/native.js';
import { logOf, paintStripes, SMALL, trainer } from './trainer-process.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-troubles-'));
const photos = join(folder, 'photos');
const MINUTES = 4 * 60_000; // several trainings one after another

beforeAll(() => paintStripes(photos));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the door', () => {
  test('--help names every option and needs no TensorFlow', async () => {
    const { code, output } = await trainer(['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--out',
      '--recipe',
      '--resume',
      '--held-out',
      '--time-limit',
      '--export-only',
      '--epochs',
      '--lr',
    ])
      expect(output).toContain(option);
  });

  test.each([
    [['--epoch', '3'], 2, "Unknown option '--epoch'"],
    [[], 2, 'name one folder'],
    [[join(folder, 'nowhere'), '--out', join(folder, 'nowhere-out')], 1, 'nowhere cannot be read'],
    [[photos, '--epochs', 'many'], 2, 'epochs is null, allowed: a whole number'],
    [[photos, '--resume', '--out', join(folder, 'nothing')], 1, 'there is nothing to resume'],
  ])('%j ends with %i', async (args, code, message) => {
    const ended = await trainer(args);
    if (nativeReady) expect(ended.output).toContain(message);
    if (nativeReady) expect(ended.code).toBe(code);
  });
});

describe.skipIf(!nativeReady)('pictures that cannot be learned from', () => {
  test('too few are refused with the number that is needed', async () => {
    const few = join(folder, 'few');
    mkdirSync(few);
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    await picture.png().toFile(join(few, 'one.png'));
    const { code, output } = await trainer([few, '--out', join(folder, 'few-out')]);
    expect(output).toContain('1 pictures (JPEG, PNG, WebP); training needs at least 16');
    expect(code).toBe(1);
  });

  test('none that can be read is an error that counts them', async () => {
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    for (let i = 0; i < 20; i++) writeFileSync(join(broken, `${i}.jpg`), 'no picture');
    const { code, output } = await trainer([broken, '--out', join(folder, 'broken-out')]);
    expect(output).toContain('only 0 of 20 pictures can be read');
    expect(code).toBe(1);
  });

  test.each([
    ['one label', 'one', 'all labelled pictures have the one label "lying"'],
    ['no label', 'lying', 'the pictures have no labels'],
  ])(
    'of %s are learned from, and it is said that nothing can be measured',
    async (_, name, message) => {
      const one = join(folder, 'one', 'lying');
      if (!existsSync(one)) cpSync(join(photos, 'lying'), one, { recursive: true });
      const out = join(folder, `${name}-out`);
      const from = name === 'one' ? join(folder, 'one') : one;
      const { code, output } = await trainer([from, '--out', out, ...SMALL, '--epochs', '1']);
      expect(output).toContain('no accuracy can be measured');
      expect(output).toContain(message);
      expect(code, output).toBe(0);
      expect(readdirSync(out)).toContain('encoder.onnx');
      expect(logOf(out).find((entry) => entry.event === 'epoch')).toMatchObject({ knn: null });
    },
    MINUTES,
  );
});

describe.skipIf(!nativeReady)('a loss that is no number', () => {
  test(
    'stops the run, says what to change and keeps a checkpoint of numbers',
    async () => {
      const out = join(folder, 'diverged');
      const wild = [...SMALL, '--warmup-epochs', '0', '--lr', '10', '--weight-decay', '1', '--epochs', '50'];
      const { code, output } = await trainer([photos, '--out', out, ...wild]);
      expect(output).toContain('lower --lr');
      expect(code).toBe(1);
      const { readState } = await import('../../trainer/src/checkpoint.js');
      const path = join(out, 'checkpoint.safetensors');
      expect(readState<{ progress: { epoch: number } }>(path).progress.epoch).toBeGreaterThan(0);
      const file = readFileSync(path);
      const from = 8 + Number(file.readBigUInt64LE(0));
      for (let at = from; at + 4 <= file.length; at += 4)
        if (!Number.isFinite(file.readFloatLE(at)))
          throw new Error(`byte ${at} of the checkpoint is no number`);
    },
    MINUTES,
  );
});

describe.skipIf(!nativeReady)('a disk that does not take it', () => {
  const begun = join(folder, 'begun');
  const checkpoint = join(begun, 'checkpoint.safetensors');
  const settings = [...SMALL, '--epochs', '2'];
  beforeAll(async () => {
    const cut = await trainer([photos, '--out', begun, ...settings, '--time-limit', '0.00001']);
    expect(cut.code).toBe(3);
  }, MINUTES);

  test(
    'a checkpoint larger than files may be: the last one is kept, and the run goes on later',
    async () => {
      const out = join(folder, 'limited');
      cpSync(begun, out, { recursive: true, preserveTimestamps: true });
      const blocks = Math.floor(statSync(checkpoint).size / 2 / 512);
      const through = ['sh', '-c', `ulimit -f ${blocks}; exec "$@"`, 'sh'];
      const { code, output } = await trainer([photos, '--out', out, '--resume'], { through });
      expect(output).toMatch(/cannot write the checkpoint .*: files this large are not allowed.* MB needed/);
      expect(output).toContain('The last checkpoint is kept');
      expect(code).toBe(1);
      expect(readFileSync(join(out, 'checkpoint.safetensors')).equals(readFileSync(checkpoint))).toBe(true);
      expect(readdirSync(out).filter((name) => name.endsWith('.part'))).toEqual([]);
      const later = await trainer([photos, '--out', out, '--resume']);
      expect(later.code, later.output).toBe(0);
    },
    MINUTES,
  );

  test('decoded pictures larger than files may be: nothing of them is left', async () => {
    const out = join(folder, 'limited-pack');
    const through = ['sh', '-c', 'ulimit -f 20; exec "$@"', 'sh'];
    const { code, output } = await trainer([photos, '--out', out, ...settings], { through });
    expect(output).toMatch(/cannot write the decoded pictures .*: files this large are not allowed/);
    expect(output).not.toContain('last checkpoint');
    expect(code).toBe(1);
    expect(readdirSync(join(out, 'pack'))).toEqual([]);
  });

  // A small disk of its own, gone with the process: needs the right to make user namespaces.
  const small = ['unshare', '--mount', '--map-root-user', 'sh', '-c'];
  const mounting = 'mount -t tmpfs -o size="$1" none "$2" || exit 99; ';
  const place = join(folder, 'disk');
  mkdirSync(place);
  const [command, ...rest] = [...small, mounting, 'sh', '1m', place];
  const mayMount = spawnSync(command!, rest).status === 0;
  if (!mayMount) console.warn('skipped: no small disk can be mounted here to be filled');

  test.skipIf(!mayMount)(
    'a full disk: it is said how much was needed, the last checkpoint is kept',
    async () => {
      const used = Number(/^\d+/.exec(spawnSync('du', ['-sk', begun]).stdout.toString())![0]);
      const room = `${used + Math.floor(statSync(checkpoint).size / 2048)}k`; // for half of another checkpoint
      const script =
        `${mounting} cp -a "$3"/. "$2"; shift 3; "$@"; code=$?; ` +
        `cmp "${place}/checkpoint.safetensors" "${checkpoint}" && echo intact; ls "${place}"; exit $code`;
      const through = [...small, script, 'sh', room, place, begun];
      const { code, output } = await trainer([photos, '--out', place, '--resume'], { through });
      expect(output).toMatch(
        /cannot write the checkpoint .*: the disk is full \([\d.]+ MB needed, [\d.]+ [kM]B free\)/,
      );
      expect(output).toContain('The last checkpoint is kept');
      expect(output).toMatch(/^intact$/m);
      expect(output).not.toContain('.part');
      expect(code).toBe(1);
    },
    MINUTES,
  );

  test('an --out that leads through a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, output } = await trainer([photos, '--out', join(file, 'out')]);
    expect(output).toContain('a part of the path is a file, not a folder');
    expect(code).toBe(1);
  });
});

describe.skipIf(!nativeReady)('Ctrl-C', () => {
  test(
    'in the training leaves a checkpoint, and a changed folder is not resumed',
    async () => {
      const out = join(folder, 'interrupted');
      const ended = await trainer([photos, '--out', out, ...SMALL, '--epochs', '10000'], {
        onOutput: (output, kill) => {
          if (output.includes('steps an epoch')) kill('SIGINT');
        },
      });
      expect(ended.output).toContain('go on with the same command and --resume');
      expect(ended.code).toBe(130);
      expect(readdirSync(out)).toContain('checkpoint.safetensors');
      const refused = await trainer([join(photos, 'lying'), '--out', out, '--resume']);
      expect(refused.output).toContain('the pictures have changed');
      expect(refused.code).toBe(1);
    },
    MINUTES,
  );

  test(
    'while pictures are decoded leaves nothing half written',
    async () => {
      const large = join(folder, 'large');
      mkdirSync(large);
      const picture = join(large, '0.jpg');
      await sharp({ create: { width: 5000, height: 4000, channels: 3, background: 'green' } })
        .jpeg()
        .toFile(picture);
      for (let i = 1; i < 300; i++) symlinkSync(picture, join(large, `${i}.jpg`)); // many seconds of decoding
      const out = join(folder, 'decoding');
      const ended = await trainer([large, '--out', out, ...SMALL], {
        poll: (kill) => {
          if (!existsSync(out)) return false;
          kill('SIGINT');
          return true;
        },
      });
      expect(ended.output).toContain('interrupted; nothing is half written');
      expect(ended.code).toBe(130);
      expect(readdirSync(out)).toEqual([]);
    },
    MINUTES,
  );

  test(
    'during the export keeps the training: it is exported later',
    async () => {
      const out = join(folder, 'exporting');
      const ended = await trainer([photos, '--out', out, ...SMALL, '--epochs', '1'], {
        onOutput: (output, kill) => {
          if (output.includes('32 px, projection')) kill('SIGINT');
        },
      });
      expect(ended.output).toContain('--export-only');
      expect(ended.code).toBe(130);
      expect(readdirSync(out).filter((name) => /^\.|onnx|manifest|index/.test(name))).toEqual([]);
      const later = await trainer([photos, '--out', out, '--export-only']);
      expect(later.code, later.output).toBe(0);
      expect(readdirSync(out)).toContain('encoder.onnx');
    },
    MINUTES,
  );
});
