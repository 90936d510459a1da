import type { Request, Response } from 'express';
import { LookalikeError } from '../core/errors.js';
import { contextOf } from './context.js';
import { hashOf } from './idempotency.js';
import type { RouteParts } from './server.js';
import { createUploadReader, type Upload } from './upload.js';

/** A picture that is to be stored: received within the budget of bytes, then worked on within the gate of writes. */
export interface Receiver {
  /** Calls `step` with the upload; what is held is released when it ends. Throws what reading throws, and `overloaded`. */
  receive(req: Request, res: Response, step: (upload: Upload) => Promise<void>): Promise<void>;
}

export function createReceiver({ settings, gates }: RouteParts): Receiver {
  const reader = createUploadReader(settings.maxBytes);
  return {
    async receive(req, res, step) {
      const { signal, watch } = contextOf(res);
      const weight = reader.weigh(req);
      if (gates.write.full)
        throw new LookalikeError('overloaded', 'as many writes as may run and wait are here');
      const leaveUpload = await gates.upload.enter({ weight, signal });
      try {
        const upload = await watch.timed('receive', () => reader.read(req, res));
        const leaveWrite = await gates.write.enter({ signal });
        try {
          await step(upload);
        } finally {
          leaveWrite();
        }
      } finally {
        leaveUpload();
      }
    },
  };
}

/** A hash of what was sent, whatever the boundary of the form or the order of its fields. */
export function contentOf({ bytes, fields }: Upload): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return hashOf(bytes, JSON.stringify(sorted));
}
