import express, { type RequestHandler } from 'express';
import { refuseMethod } from './routes.js';

/** The web page: these files of the folders in `roots` and nothing else that may lie there. */
const FILES = new Map([
  ['/', '/index.html'],
  ...['/page.js', '/api.js', '/style.css', '/icon.svg'].map((path) => [path, path] as const),
  // The typed client, as the page imports it: compiled TypeScript, no bundler.
  ...['client', 'imports', 'index', 'jobs', 'pages', 'problem'].map((name) => {
    return [`/client/dist/${name}.js`, `/${name}.js`] as const;
  }),
]);

/** Serves the page's files; anything else goes on to the next handler. */
export function pageFiles(roots: readonly string[]): RequestHandler {
  const folders = express.Router();
  const options = { index: false, acceptRanges: false, redirect: false } as const;
  for (const root of roots) folders.use(express.static(root, options));
  return (req, res, next) => {
    const file = FILES.get(req.path);
    if (file === undefined) return next();
    if (!['GET', 'HEAD'].includes(req.method)) refuseMethod(req, res, ['GET', 'HEAD']);
    req.url = file;
    folders(req, res, next);
  };
}
