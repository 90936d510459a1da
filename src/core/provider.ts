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

// Drivers print to the standard output of a probing process too: its report is one marked line.
const MARK = 'lookalike-probe:';

export const writeReport = (report: ProbeReport): string => `${MARK}${JSON.stringify(report)}\n`;

/** The report in the output of a probing process, or undefined when it ended before it wrote one. */
export function readReport(output: string): ProbeReport | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith(MARK));
  return line === undefined ? undefined : (JSON.parse(line.slice(MARK.length)) as ProbeReport);
}
