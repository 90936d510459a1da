/** The binding between Node and the TensorFlow library, built from the npm package's own source. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, SetupError, say } from './run.mjs';

/** The folder whose `include/node` holds the headers of the running Node. */
function nodeHeaders() {
  const candidates = [
    dirname(dirname(realpathSync(process.execPath))),
    process.env.npm_config_nodedir,
    '/usr/local',
    '/usr',
  ].filter(Boolean);
  const found = candidates.find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
  if (found) return found;
  throw new SetupError(
    `the headers of Node are missing: looked for include/node/node_api.h under ${candidates.join(', ')}. Install them (on Debian: libnode-dev) or set npm_config_nodedir`,
  );
}

/** `folder` holds node-gyp, `binding` is the package whose `deps/` is linked. */
export function buildBinding(folder, binding) {
  const headers = nodeHeaders();
  say('building the binding (g++, python3)');
  const gyp = join(folder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const place = join(binding, 'lib', 'napi-v8');
  const options = ['--module_name=tfjs_binding', `--module_path=${place}`, '--napi_build_version=8'];
  run(process.execPath, [gyp, 'rebuild', '--loglevel=error', `--nodedir=${headers}`, ...options], {
    cwd: binding,
  });
}
