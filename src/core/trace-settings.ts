import { LookalikeError } from './errors.js';

/** How traces are sent to a collector (OTLP over HTTP). */
export const TRACE_PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type TraceProtocol = (typeof TRACE_PROTOCOLS)[number];

/**
 * What OpenTelemetry's own variables say: null where no traces are wanted, as when none of them is set. Its packages read
 * the rest of them (endpoint, headers, sampler, resource). Throws `invalid_setting`.
 */
export function traceProtocol(env: Readonly<Record<string, string | undefined>>): TraceProtocol | null {
  const exporter = env.OTEL_TRACES_EXPORTER;
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || exporter === 'none') return null;
  if (exporter && exporter !== 'otlp') throw refused('OTEL_TRACES_EXPORTER', exporter, ['otlp', 'none']);
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!exporter && !endpoint) return null;
  const name = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
    ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
    : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const given = env[name] || TRACE_PROTOCOLS[0];
  const protocol = TRACE_PROTOCOLS.find((one) => one === given);
  if (protocol === undefined) throw refused(name, given, TRACE_PROTOCOLS);
  return protocol;
}

const refused = (name: string, given: string, allowed: readonly string[]) =>
  new LookalikeError('invalid_setting', `${name}=${given}: ${allowed.join(' or ')} is wanted`, {
    field: name,
  });
