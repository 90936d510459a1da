import { LookalikeError } from '../core/errors.js';
import type { ProbeReport, Provider, ProviderProbe, ProviderSetting } from '../core/provider.js';
import { askChild } from './child-call.js';

/**
 * Finds out which onnxruntime providers can search exactly on this machine. A provider counts when it
 * answers a question whose answer is known, and, unless it was asked for by name, is not slower than the
 * CPU here: a software adapter (SwiftShader, llvmpipe) answers rightly and takes far longer.
 * A GPU driver can crash or hang the process that loads it, so every probe is a child process with a time limit.
 */
export type { Provider, ProviderProbe, ProviderSetting } from '../core/provider.js';

export interface ProbeOptions {
  setting: ProviderSetting;
  timeoutMs?: number; // of one provider, 30 s when absent
  env?: NodeJS.ProcessEnv; // of the child processes, this one's when absent
}

/**
 * Probes what the setting allows: all of them for 'auto', otherwise the one named, which may then be slow.
 * Never rejects for what a provider does; those that were not asked for say so.
 */
export async function probeProviders(options: ProbeOptions): Promise<ProviderProbe[]> {
  const { setting } = options;
  const probes: ProviderProbe[] = [{ name: 'cpu', usable: true, reason: null }];
  for (const name of ['webgpu', 'cuda'] as const) {
    const asked = setting === 'auto' || setting === name;
    const reason = asked ? await faultOf(name, options) : `not probed: the setting is ${setting}`;
    probes.push({ name, usable: reason === null, reason });
  }
  return probes;
}

/** CUDA before WebGPU before the CPU. Throws `provider_unavailable` when the one named is not usable. */
export function chooseProvider(setting: ProviderSetting, probes: readonly ProviderProbe[]): Provider {
  const usable = (name: Provider) => probes.find((probe) => probe.name === name && probe.usable);
  if (setting === 'auto') return (['cuda', 'webgpu'] as const).find(usable) ?? 'cpu';
  if (usable(setting)) return setting;
  const reason = probes.find((probe) => probe.name === setting)?.reason ?? 'it was not probed';
  throw new LookalikeError('provider_unavailable', `the provider ${setting} cannot be used here: ${reason}`);
}

async function faultOf(
  name: Provider,
  { setting, timeoutMs = 30_000, env }: ProbeOptions,
): Promise<string | null> {
  const report = await askChild<ProbeReport>('exact-probe.child', {
    argument: name,
    what: 'probe',
    timeoutMs,
    env,
  });
  if ('failure' in report) return report.failure;
  const { milliseconds, cpuMilliseconds } = report;
  if (setting === name || milliseconds <= cpuMilliseconds) return null;
  return (
    `it answers rightly but is slower than the CPU here (${milliseconds.toFixed(1)} ms against ` +
    `${cpuMilliseconds.toFixed(1)} ms): a software adapter, or a GPU smaller than this CPU`
  );
}
