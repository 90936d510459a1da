/** Where an exact search can run, and what the probe of a provider says about it. */
export const PROVIDERS = ['cpu', 'webgpu', 'cuda'] as const;
export type Provider = (typeof PROVIDERS)[number];
export type ProviderSetting = Provider | 'auto';

export interface ProviderProbe {
  name: Provider;
  usable: boolean;
  reason: string | null; // a sentence when it is not usable
}

/** What a probe finds: times of the same search in milliseconds, or why there are none. */
export type ProbeReport = { milliseconds: number; cpuMilliseconds: number } | { failure: string };
