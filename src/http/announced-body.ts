import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What is known of a body before it is read.
 *
 * `Expect: 100-continue`: the client waits before it sends the body. It is asked for only when the body is
 * about to be read, so that a refusal (no key, too large, full) costs the client no upload.
 */
const waiting = new WeakSet<IncomingMessage>();

/** Notes that this client waits; called by the listener of `checkContinue`. */
export function holdBody(req: IncomingMessage): void {
  waiting.add(req);
}

/** Tells a client that waits to go on. */
export function askForBody(req: IncomingMessage, res: ServerResponse): void {
  if (waiting.delete(req)) res.writeContinue();
}

/** Whether the client still waits: it has sent nothing that would have to be read first. */
export function isBodyHeld(req: IncomingMessage): boolean {
  return waiting.has(req);
}

/** Whether a body is announced. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Sockets whose request may take longer than a request may: whoever reads it watches that it goes on. */
const patient = new WeakSet<Socket>();

/** Lets the body of this request take its time; until it is told otherwise. */
export function takeTime(req: IncomingMessage): () => void {
  const { socket } = req;
  patient.add(socket);
  return () => void patient.delete(socket);
}

export const mayTakeTime = (socket: Socket): boolean => patient.has(socket);
