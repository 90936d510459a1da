import type { Stage } from '../flow/service.js';

/** Traces: a span a request, and one in it for each stage. `otlp-tracing.ts` makes them where they are asked for. */
export interface Tracing {
  /** Begins the span of a request. `headers` may name the trace that it belongs to (`traceparent`, `tracestate`). */
  begin(request: {
    method: string;
    path: string; // without the query
    requestId: string;
    headers: Readonly<Record<string, string | string[] | undefined>>;
  }): RequestSpan;
  /** Sends what is left; gives up after a moment. */
  close(): Promise<void>;
}

export interface RequestSpan {
  readonly traceId: string; // hex
  /** A stage that has run; times are milliseconds since the epoch. */
  stage(stage: Stage, ran: StageRun): void;
  /** The answer has left. `route`: the pattern; `code`: of a refusal. */
  end(answer: { route: string; status: number; code: string | undefined }): void;
}

export interface StageRun {
  started: number;
  ended: number;
  failed: boolean;
}
