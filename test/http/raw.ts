/** HTTP by hand on a bare socket: what well-behaved clients never send. */
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  socket: Socket;
  /** What the server has sent so far. */
  received(): string;
  /** Everything that the server has sent, once it closes the connection or `until` has come. */
  answer(until?: RegExp): Promise<string>;
}

export function openRaw(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {}); // a reset is an end like any other
  const answer = (until?: RegExp) =>
    new Promise<string>((resolve) => {
      const check = () => {
        if (socket.closed || until?.test(received)) resolve(received);
      };
      socket.on('data', check).on('close', check);
      check();
    });
  return { socket, received: () => received, answer };
}

/** The lines of a request's head, ended as HTTP wants it. */
export const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

/** Status, headers and body of one raw answer. */
export function parseAnswer(text: string): { status: number; headers: Record<string, string>; body: string } {
  const [top = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = top.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  return { status: Number(first.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

/**
 * Sends a body without an end, chunk by chunk, until the server answers. `headers` are those of the body.
 * Resolves to the raw answer once the connection is closed.
 */
export async function sendEndlessly(url: string, ...headers: string[]): Promise<string> {
  const raw = openRaw(url);
  const { host } = new URL(url);
  raw.socket.write(
    head('POST /v1/search HTTP/1.1', `Host: ${host}`, 'Transfer-Encoding: chunked', ...headers),
  );
  const chunk = Buffer.concat([Buffer.from('8000\r\n'), Buffer.alloc(0x8000), Buffer.from('\r\n')]);
  while (raw.socket.writable && raw.received() === '')
    await new Promise((resolve) => raw.socket.write(chunk, resolve));
  return raw.answer();
}

export interface StartedUpload {
  to?: string; // method and path
  type?: string;
  first?: Uint8Array;
  headers?: string[];
}

/** Starts an upload and stops after its first bytes: it holds its part of the byte budget until more is sent. */
export function startUpload(url: string, announced: number, given: StartedUpload = {}): RawConnection {
  const { to = 'POST /v1/search', first = Buffer.from('half'), headers = [] } = given;
  const raw = openRaw(url);
  const { host } = new URL(url);
  const type = `Content-Type: ${given.type ?? 'application/octet-stream'}`;
  raw.socket.write(head(`${to} HTTP/1.1`, `Host: ${host}`, type, `Content-Length: ${announced}`, ...headers));
  raw.socket.write(first);
  return raw;
}

/** Asks `/metrics` until this series has this value. */
export async function untilMetric(url: string, series: string, value: number, key?: string): Promise<void> {
  const headers = key ? { 'X-API-Key': key } : {};
  for (;;) {
    const text = await (await fetch(`${url}/metrics`, { headers })).text();
    if (metricIn(text, series) === value) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The value of a series such as `name{label="x"}` in an exposition text. */
export function metricIn(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
