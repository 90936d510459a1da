import { randomUUID } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Express } from 'express';
import { type ErrorCode, LookalikeError, messageOf } from '../core/errors.js';
import { holdBody, mayTakeTime } from './announced-body.js';
import { toProblem } from './problem.js';

/** Puts the application behind a port, with the timeouts that a public socket needs, and takes it down again. */
export interface ListenOptions {
  host: string;
  port: number; // 0 takes a free one
  requestTimeoutMs: number; // to receive a whole request
}

export interface Listening {
  server: Server;
  url: string; // http://host:port
  /** Stops accepting, lets running answers finish for at most `graceMs`, then closes what is left. */
  stop(graceMs: number): Promise<void>;
}

/** Resolves when the port is open; rejects with `invalid_setting` when it cannot be opened. */
export async function listen(app: Express, options: ListenOptions): Promise<Listening> {
  const { host, port, requestTimeoutMs } = options;
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: Math.min(10_000, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
      keepAliveTimeout: 5000,
    },
    app,
  );
  server.on('checkContinue', (req, res) => {
    holdBody(req);
    app(req, res);
  });
  server.on('clientError', answerClientError);
  await open(server, host, port);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one a stream: the gate of the events bounds them
  app.locals.stopping = stopping.signal; // answers that have no end of their own end with it
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    server,
    url: `http://${name}:${address.port}`,
    stop(graceMs) {
      stopping.abort();
      return stop(server, graceMs);
    },
  };
}

async function open(server: Server, host: string, port: number): Promise<void> {
  try {
    await once(server.listen(port, host), 'listening');
  } catch (cause) {
    const message = `cannot listen on ${host}:${port}: ${messageOf(cause)}`;
    throw new LookalikeError('invalid_setting', message, { cause });
  }
}

function stop(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that was busy when the server closed stays open after its answer: it is swept up here.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const end = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(end);
      resolve();
    });
  });
}

const CLIENT_ERRORS: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'the headers may have at most 16 KiB together'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
};

/** What never became a request, or stopped being one: Node hands over the bare socket. */
function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket & { _httpMessage?: { headersSent: boolean } },
): void {
  // Node says so once of each request; an import that goes on is not too late.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeTime(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent)
    return void socket.destroy();
  const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? [
    'malformed_request',
    'this is not an HTTP request',
  ];
  const id = randomUUID();
  const problem = toProblem(new LookalikeError(code, message), id);
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${id}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
