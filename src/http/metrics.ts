import type { Express } from 'express';
import { resource } from './routes.js';
import type { RouteParts } from './server.js';

/** `GET /metrics`: Prometheus text. */
export function metricsRoutes(app: Express, { metrics }: RouteParts): void {
  resource(app, '/metrics', {
    async get(_req, res) {
      const { contentType, text } = await metrics.scrape();
      res.set({ 'Content-Type': contentType, 'Cache-Control': 'no-store' }).send(text);
    },
  });
}
