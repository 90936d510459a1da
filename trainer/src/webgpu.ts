/** TensorFlow.js on WebGPU, by Dawn, the implementation inside Chromium. Values can only be read asynchronously. */
import { pathToFileURL } from 'node:url';
import { LookalikeError, messageOf } from '../../dist/offline.js';
import type { Engine, Tf } from './tensorflow.js';
import type { Installed } from './tensorflow-path.js';

/** The part of WebGPU that is used here; its types would be a package of their own. */
interface Adapter {
  info: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean };
  features: ReadonlySet<string>;
  limits: Record<string, number>;
  requestDevice(wanted: object): Promise<Device>;
}
interface Device {
  lost: Promise<{ message: string }>;
  addEventListener(type: 'uncapturederror', listener: (event: { error: unknown }) => void): void;
}
interface Gpu {
  requestAdapter(wanted: object): Promise<Adapter | null>;
}
interface Dawn {
  create(flags: readonly string[]): Gpu;
  globals: object; // GPUBufferUsage and the like, which TensorFlow.js expects to be global
}

/** Without asking for them a device has the smallest limits that WebGPU guarantees, e.g. 128 MiB a buffer. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
];

/** Opens the fastest adapter. Throws `provider_unavailable` when there is none. */
export async function openWebgpu({ require, path }: Installed): Promise<{ tf: Tf; engine: Engine }> {
  const dawn = (await import(pathToFileURL(require.resolve('webgpu')).href)) as Dawn;
  // TensorFlow.js first: it would open a device of its own if it found `navigator.gpu` while it is loaded.
  const tf = require(path) as Tf;
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu');
  const gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null)
    throw new LookalikeError(
      'provider_unavailable',
      'WebGPU finds no adapter: there is no GPU here, or no Vulkan, Metal or D3D12 driver for it',
    );
  Object.assign(globalThis, dawn.globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  failLoudly(device);
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  tf.setBackend('webgpu');
  return { tf, engine: describe(adapter) };
}

function describe({ info }: Adapter): Engine {
  const device = [info.vendor, info.architecture, info.description].filter(Boolean).join(' ');
  const software = info.isFallbackAdapter === true;
  return { name: 'webgpu', native: false, library: 'WebGPU', device, onGpu: !software };
}

/** Errors of a device arrive beside the calls that caused them; unheard, the training would go on with wrong values. */
function failLoudly(device: Device): void {
  const fail = (message: string) =>
    setImmediate(() => {
      throw new LookalikeError('internal', `WebGPU failed: ${message}`);
    });
  device.addEventListener('uncapturederror', ({ error }) => fail(messageOf(error)));
  device.lost.then(({ message }) => fail(`the device was lost: ${message}`));
}
