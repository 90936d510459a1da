/** Which paths imports may read: those below the open folders, wherever links and dots lead. */
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ROOTS_SETTING, resolveUnder } from '../../../src/engines/allowed-roots.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let folder: string;
let root: string;
let outside: string;
const forbidden = (path: string, roots = [root]) => refusal('forbidden', () => resolveUnder(roots, path));

beforeEach(async () => {
  folder = await realpath(await tempFolder());
  root = join(folder, 'open');
  outside = join(folder, 'secret');
  await mkdir(join(root, 'cats'), { recursive: true });
  await mkdir(outside);
  await writeFile(join(root, 'cats', 'a.jpg'), 'cat');
  await writeFile(join(outside, 'key'), 'secret');
});

describe('a path below a root', () => {
  it('is found by its absolute name and from the root', async () => {
    const found = join(root, 'cats', 'a.jpg');
    for (const path of [found, 'cats/a.jpg', './cats/../cats//a.jpg', `${root}/cats/./a.jpg`])
      expect(await resolveUnder([root], path)).toBe(found);
    expect(await resolveUnder([`${root}/`], 'cats/a.jpg')).toBe(found);
  });

  it('may be a folder, or the root itself', async () => {
    expect(await resolveUnder([root], 'cats')).toBe(join(root, 'cats'));
    expect(await resolveUnder([root], root)).toBe(root);
  });

  it('is found in the first root that has it', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'b.jpg'), 'b');
    await mkdir(join(other, 'cats'));
    await writeFile(join(other, 'cats', 'a.jpg'), 'another cat');
    expect(await resolveUnder([root, other], 'b.jpg')).toBe(join(other, 'b.jpg'));
    expect(await resolveUnder([root, other], 'cats/a.jpg')).toBe(join(root, 'cats', 'a.jpg'));
    expect(await resolveUnder([join(folder, 'nowhere'), other], 'b.jpg')).toBe(join(other, 'b.jpg'));
  });

  it('that is not there is told apart from one that must not be read', async () => {
    expect((await refusal('not_found', () => resolveUnder([root], 'dogs/a.jpg'))).message).toContain(
      'dogs/a.jpg',
    );
    await refusal('not_found', () => resolveUnder([root], 'cats/a.jpg/b'));
    await refusal('not_found', () => resolveUnder([root], 'a\0.jpg'));
    await refusal('not_found', () => resolveUnder([root], 'x'.repeat(5000)));
  });
});

describe('a path outside', () => {
  it('is refused with the path, the roots and the setting', async () => {
    const { message } = await forbidden('/etc/passwd');
    for (const part of ['/etc/passwd', root, ROOTS_SETTING]) expect(message).toContain(part);
  });

  it('is refused however it is written', async () => {
    for (const path of [
      '..',
      '../secret/key',
      'cats/../../secret/key',
      '/',
      join(outside, 'key'),
      `${root}/../secret`,
    ])
      await forbidden(path);
  });

  it('is refused the same whether it exists or not', async () => {
    const [there, not] = [await forbidden('../secret/key'), await forbidden('../secret/kex')];
    expect(there.message.replace('key', 'kex')).toBe(not.message);
  });

  it('is refused in a folder whose name only begins like a root', async () => {
    await mkdir(`${root}ed`);
    await writeFile(join(`${root}ed`, 'a.jpg'), 'a');
    await forbidden(join(`${root}ed`, 'a.jpg'));
    await forbidden(`../${basename(root)}ed/a.jpg`);
  });

  it('is refused when no folder is open, or the open one is gone', async () => {
    expect((await forbidden('cats/a.jpg', [])).message).toContain(ROOTS_SETTING);
    await rm(root, { recursive: true });
    await refusal('not_found', () => resolveUnder([root], 'cats/a.jpg'));
  });
});

describe('a link', () => {
  it('that leads out is refused: of a file, of a folder, of a chain', async () => {
    await symlink(join(outside, 'key'), join(root, 'file.jpg'));
    await symlink(outside, join(root, 'cats', 'out'));
    await symlink('cats/out', join(root, 'chain'));
    await symlink('../..', join(root, 'cats', 'up'));
    for (const path of ['file.jpg', 'cats/out/key', 'chain/key', 'chain', 'cats/up/secret/key'])
      await forbidden(path);
  });

  it('that stays within is followed to the file', async () => {
    await symlink('cats', join(root, 'felines'));
    expect(await resolveUnder([root], 'felines/a.jpg')).toBe(join(root, 'cats', 'a.jpg'));
  });

  it('that leads to another root is followed', async () => {
    await symlink(outside, join(root, 'out'));
    expect(await resolveUnder([root, outside], 'out/key')).toBe(join(outside, 'key'));
  });

  it('that leads nowhere or round in a ring is not found', async () => {
    await symlink('nowhere', join(root, 'broken'));
    await symlink('ring', join(root, 'ring'));
    for (const path of ['broken', 'ring']) await refusal('not_found', () => resolveUnder([root], path));
  });

  it('may be the root: both its names are taken', async () => {
    const alias = join(folder, 'alias');
    await symlink(root, alias);
    const found = join(root, 'cats', 'a.jpg');
    for (const path of ['cats/a.jpg', found, join(alias, 'cats/a.jpg')])
      expect(await resolveUnder([alias], path)).toBe(found);
  });
});

it('no path of dots, slashes and names comes out of the root', async () => {
  await symlink(outside, join(root, 'out'));
  const part = fc.constantFrom('..', '.', '', 'cats', 'a.jpg', 'out', 'key', 'secret', 'open');
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), fc.boolean(), async (parts, absolute) => {
      const path = (absolute ? [root, ...parts] : parts).join('/');
      const found = await resolveUnder([root], path).catch((error) => error.code);
      expect(['forbidden', 'not_found'].includes(found) || `${found}/`.startsWith(`${root}/`)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
