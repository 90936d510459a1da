/** npm packages in a folder of their own, outside the workspace and its lock file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, say } from './run.mjs';

/** `packages`: [[name, version], …]. Nothing is done when all of them are there; install scripts never run. */
export function installPackages(folder, packages, size) {
  if (packages.every(([name, version]) => installedVersion(folder, name) === version)) return;
  const wanted = packages.map(([name, version]) => `${name}@${version}`);
  say(`npm install ${wanted.join(' ')} (${size} on disk), without their install scripts`);
  const about = { name: 'lookalike-native', private: true };
  if (!existsSync(join(folder, 'package.json')))
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about)}\n`);
  // --workspaces=false: npm would otherwise look for the workspace that this folder lies in.
  const options = ['--workspaces=false', '--ignore-scripts', '--save-exact', '--no-audit', '--no-fund'];
  run('npm', ['install', ...options, ...wanted], { cwd: folder });
}

export function installedVersion(folder, name) {
  const path = join(folder, 'node_modules', name, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : null;
}
