#!/usr/bin/env node
/**
 * `npm run trainer:setup`: puts TensorFlow.js on a native TensorFlow into `trainer/native/`.
 *
 * The published tfjs-node downloads a TensorFlow of 2022 from a host of its own. Its source builds unpatched
 * against the library inside the current PyPI wheel, so this script needs npm, PyPI and a C++ compiler only.
 * It may run any number of times: what is there and works is left alone.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TFJS = '@tensorflow/tfjs-node@4.22.0';
const NODE_GYP = 'node-gyp@10.3.1';
const WHEEL = { name: 'tensorflow-cpu', version: '2.21.0', size: 'about 275 MB' };

const here = dirname(fileURLToPath(import.meta.url));
const native = join(here, 'native');
const binding = join(native, 'node_modules', '@tensorflow', 'tfjs-node');
const vendor = join(native, 'vendor');
const libraries = join(vendor, 'tensorflow');

/** A training step whose loss must fall: proves that the library loads and that gradients are right. */
const SMOKE = `
const tf = require('module').createRequire(process.argv[1])('@tensorflow/tfjs-node');
const x = tf.randomNormal([8, 16, 16, 3], 0, 1, 'float32', 1);
const w = tf.variable(tf.randomNormal([3, 3, 3, 4], 0, 1, 'float32', 2));
const d = tf.variable(tf.randomNormal([4, 5], 0, 0.3, 'float32', 3));
const y = tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 0, 1, 2], 'int32'), 5);
const step = () => tf.losses.softmaxCrossEntropy(y, tf.matMul(tf.relu(tf.conv2d(x, w, 1, 'same')).mean([1, 2]), d));
const optimiser = tf.train.momentum(0.05, 0.9);
const losses = Array.from({ length: 30 }, () => optimiser.minimize(step, true).dataSync()[0]);
if (!(losses[29] < losses[0])) throw new Error('the loss did not fall: ' + losses[0] + ' -> ' + losses[29]);
console.log(JSON.stringify({ version: tf.backend().binding.TF_Version, first: losses[0], last: losses[29] }));
`;

function say(line) {
  console.log(`trainer setup: ${line}`);
}

function stop(line) {
  console.error(`trainer setup: ${line}`);
  process.exit(1);
}

/** Runs the smoke test with the tfjs-node that `from` resolves; null when there is none that works. */
function smoke(from) {
  const run = spawnSync(process.execPath, ['-e', SMOKE, from], {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  if (run.status !== 0) return { error: run.stderr.trim() };
  return JSON.parse(run.stdout.trim().split('\n').at(-1));
}

function resolves(from) {
  try {
    return createRequire(from).resolve('@tensorflow/tfjs-node') !== '';
  } catch {
    return false;
  }
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (done.error) stop(`${command} cannot be started: ${done.error.message}`);
  if (done.status !== 0)
    stop(
      `${command} ${args.join(' ')} failed:\n${`${done.stdout}\n${done.stderr}`.trim().split('\n').slice(-40).join('\n')}`,
    );
  return done.stdout;
}

function installPackages() {
  if (existsSync(join(binding, 'package.json')) && existsSync(join(native, 'node_modules', 'node-gyp')))
    return;
  say(`npm install ${TFJS} ${NODE_GYP} (about 100 MB on disk), without their install scripts`);
  mkdirSync(native, { recursive: true });
  writeFileSync(
    join(native, 'package.json'),
    `${JSON.stringify({ name: 'lookalike-native', private: true })}\n`,
  );
  // --workspaces=false: npm would otherwise look for the workspace that this folder lies in.
  run(
    'npm',
    ['install', '--workspaces=false', '--ignore-scripts', '--no-audit', '--no-fund', TFJS, NODE_GYP],
    native,
  );
}

function downloadLibrary() {
  if (existsSync(join(libraries, 'libtensorflow_cc.so.2'))) return;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    stop(
      `the prebuilt TensorFlow is for linux-x64; this is ${process.platform}-${process.arch}. Install @tensorflow/tfjs-node by hand`,
    );
  say(`downloading the PyPI wheel ${WHEEL.name} ${WHEEL.version} (${WHEEL.size})`);
  mkdirSync(vendor, { recursive: true });
  const platforms = ['manylinux_2_27_x86_64', 'manylinux2014_x86_64'].flatMap((name) => ['--platform', name]);
  const wheel = `${WHEEL.name}==${WHEEL.version}`;
  run(
    'python3',
    [
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      '--only-binary=:all:',
      '--python-version',
      '3.11',
      ...platforms,
      wheel,
      '-d',
      vendor,
    ],
    native,
  );
  const file = readdirSync(vendor).find((name) => name.endsWith('.whl'));
  say(`unpacking ${(statSync(join(vendor, file)).size / 1e6).toFixed(0)} MB`);
  run('python3', ['-c', UNPACK, join(vendor, file), vendor], native);
  rmSync(join(vendor, file));
}

/** Takes the two libraries and the C headers out of the wheel; the rest of it is Python. */
const UNPACK = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
libraries = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')
headers = tuple('tensorflow/include/' + part for part in (
    'tensorflow/c/', 'tensorflow/core/platform/ctstring', 'xla/tsl/c/', 'tensorflow/compiler/xla/tsl/c/',
    'tsl/platform/ctstring', 'tensorflow/tsl/platform/ctstring'))
for name in wheel.namelist():
    if name in libraries or (name.startswith(headers) and name.endswith('.h')):
        wheel.extract(name, sys.argv[2])
`;

/** The binding looks for its library under \`deps/\`; an npm install wipes that folder, so it is made anew. */
function linkLibrary() {
  const deps = join(binding, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(libraries, 'include'), join(deps, 'include'));
  for (const [part, plain] of [
    ['cc', 'libtensorflow.so'],
    ['framework', 'libtensorflow_framework.so'],
  ]) {
    symlinkSync(
      join(libraries, `libtensorflow_${part}.so.2`),
      join(deps, 'lib', `libtensorflow_${part}.so.2`),
    );
    symlinkSync(`libtensorflow_${part}.so.2`, join(deps, 'lib', plain));
  }
}

/** The folder whose \`include/node\` holds the headers of the running Node. */
function nodeHeaders() {
  const candidates = [
    dirname(dirname(realpathSync(process.execPath))),
    process.env.npm_config_nodedir,
    '/usr/local',
    '/usr',
  ].filter(Boolean);
  const found = candidates.find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
  if (!found)
    stop(
      `the headers of Node are missing: looked for include/node/node_api.h under ${candidates.join(', ')}. Install them (on Debian: libnode-dev) or set npm_config_nodedir`,
    );
  return found;
}

function buildBinding() {
  const headers = nodeHeaders();
  say('building the binding (g++, python3)');
  const gyp = join(native, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  run(
    process.execPath,
    [
      gyp,
      'rebuild',
      '--loglevel=error',
      `--nodedir=${headers}`,
      '--module_name=tfjs_binding',
      `--module_path=${join(binding, 'lib', 'napi-v8')}`,
      '--napi_build_version=8',
    ],
    binding,
  );
}

function main() {
  if (Number(process.versions.node.split('.')[0]) >= 23)
    stop(`tfjs-node 4.22 runs on Node 20 and 22, this is ${process.versions.node}`);
  // An official installation with a working library wins over a build of our own.
  const official = join(here, 'package.json');
  if (resolves(official)) {
    const found = smoke(official);
    if (found.version)
      return say(`the installed @tensorflow/tfjs-node works (TensorFlow ${found.version}): nothing to do`);
  }
  const own = join(native, 'package.json');
  if (existsSync(own) && resolves(own)) {
    const found = smoke(own);
    if (found.version) return say(`trainer/native works (TensorFlow ${found.version}): nothing to do`);
  }
  for (const tool of ['npm', 'python3', 'g++', 'make'])
    if (spawnSync(tool, ['--version']).status !== 0) stop(`${tool} is needed and was not found`);
  execFileSync('python3', ['-m', 'pip', '--version']);
  installPackages();
  downloadLibrary();
  linkLibrary();
  buildBinding();
  const result = smoke(own);
  if (!result.version) stop(`built, but the training step fails:\n${result.error}`);
  say(
    `done: TensorFlow ${result.version}, training step loss ${result.first.toFixed(4)} -> ${result.last.toFixed(4)}`,
  );
}

main();
