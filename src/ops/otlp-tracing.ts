import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { TraceProtocol } from '../core/trace-settings.js';
import type { Logger } from './logger.js';
import type { Tracing } from './tracing.js';

/**
 * Traces to an OpenTelemetry collector. Loaded only when traces are asked for: the packages cost some 15 MB of memory.
 * Where to send, how many to keep and what to call the service is read from the `OTEL_*` variables by the packages.
 */
export interface TracingParts {
  protocol: TraceProtocol;
  version: string;
  logger: Logger;
}

/** A collector that does not answer must not hold up the end of the process. */
const CLOSE_MS = 3000;

export function createOtlpTracing({ protocol, version, logger }: TracingParts): Tracing {
  const warn = (message: string) => logger.warn({ opentelemetry: message }, 'traces could not be sent');
  const quiet = () => undefined;
  diag.setLogger(
    { error: warn, warn, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const exporter = protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'lookalike', 'service.version': version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('lookalike', version);
  const propagator = new W3CTraceContextPropagator();

  return {
    begin({ method, path, requestId, headers }) {
      const outside = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      const span = tracer.startSpan(
        method,
        {
          kind: SpanKind.SERVER,
          attributes: { 'http.request.method': method, 'url.path': path, 'lookalike.request_id': requestId },
        },
        outside,
      );
      const inside: Context = trace.setSpan(outside, span);
      return {
        traceId: span.spanContext().traceId,
        stage(stage, { started, ended, failed }) {
          const part = tracer.startSpan(stage, { startTime: started }, inside);
          if (failed) part.setStatus({ code: SpanStatusCode.ERROR });
          part.end(ended);
        },
        end({ route, status, code }) {
          span.updateName(`${method} ${route}`);
          span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
          if (code !== undefined) span.setAttribute('error.type', code);
          // A refusal is the caller's: for a server's span only its own faults are errors.
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch((error: unknown) => warn(String(error))), late]);
    },
  };
}
