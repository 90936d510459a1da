/** Python wheels as what they are, zip files: pip finds and downloads them, no Python package is installed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError, say } from './run.mjs';

/** Which wheels this machine can load; pip compares these names letter by letter. */
const PLATFORMS = [
  ...Array.from({ length: 24 }, (_, i) => `manylinux_2_${28 - i}_x86_64`),
  ...['2014', '2010', '1'].map((year) => `manylinux${year}_x86_64`),
];

/** What is unpacked in `folder`: requirement to the wheel's file name. */
export function unpackedWheels(folder) {
  const list = join(folder, 'wheels.json');
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : {};
}

/**
 * Downloads the wheel of `requirement` (as pip writes it) and unpacks the files whose names match `wanted`
 * (a Python regular expression) into `folder`. It is noted there at the end: a cut-short run does it again.
 */
export function unpackWheel(requirement, wanted, folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(`the prebuilt libraries are for linux-x64, not ${process.platform}-${process.arch}`);
  const download = join(folder, 'download');
  rmSync(download, { recursive: true, force: true });
  mkdirSync(download, { recursive: true });
  const platforms = PLATFORMS.flatMap((name) => ['--platform', name]);
  const which = ['--no-deps', '--only-binary=:all:', '--python-version', '3.11', ...platforms];
  run('python3', ['-m', 'pip', 'download', '-q', ...which, requirement, '-d', download], { cwd: folder });
  const file = readdirSync(download).find((name) => name.endsWith('.whl'));
  say(`unpacking ${file} (${(statSync(join(download, file)).size / 1e6).toFixed(0)} MB)`);
  run('python3', ['-c', UNPACK, join(download, file), wanted, folder], { cwd: folder });
  rmSync(download, { recursive: true });
  const done = { ...unpackedWheels(folder), [requirement]: file };
  writeFileSync(join(folder, 'wheels.json'), `${JSON.stringify(done, null, 2)}\n`);
}

/** A zip entry carries the mode of its file in the upper half of `external_attr`: programs stay programs. */
const UNPACK = `
import os, re, sys, zipfile
wheel, wanted, folder = zipfile.ZipFile(sys.argv[1]), re.compile(sys.argv[2]), sys.argv[3]
for entry in wheel.infolist():
    if wanted.match(entry.filename) and not entry.is_dir():
        path = wheel.extract(entry, folder)
        os.chmod(path, 0o755 if (entry.external_attr >> 16) & 0o111 else 0o644)
`;
