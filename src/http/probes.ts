import type { Express } from 'express';
import { LookalikeError } from '../core/errors.js';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** The probes. `/livez`: the process answers, restart it when not. `/readyz`: send it traffic, or wait. */
export function probeRoutes(app: Express, { service }: RouteParts): void {
  resource(app, '/livez', {
    get(_req, res) {
      res.set('Cache-Control', 'no-store').json({ status: 'alive' });
    },
  });

  resource(app, '/readyz', {
    get(_req, res) {
      const { ready, reason } = service.readiness();
      if (!ready) throw new LookalikeError('not_ready', reason ?? 'the service is starting');
      res.set('Cache-Control', 'no-store').json({ status: 'ready' });
    },
  });
}
