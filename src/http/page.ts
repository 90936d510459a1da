import express, { type RequestHandler } from 'express';
import { refuseMethod } from './routes.js';

/** The web page: these files of the folders in `roots` and nothing else that may lie there. */
const FILES: Record<string, string> = {
  '/': '/index.html',
  '/page.js': '/page.js',
  '/api.js': '/api.js',
  '/style.css': '/style.css',
  '/icon.svg': '/icon.svg',
};

/** Serves the page's files; anything else goes on to the next handler. */
export function pageFiles(roots: readonly string[]): RequestHandler {
  const folders = express.Router();
  const options = { index: false, acceptRanges: false, redirect: false } as const;
  for (const root of roots) folders.use(express.static(root, options));
  return (req, res, next) => {
    const file = FILES[req.path];
    if (file === undefined) return next();
    if (!['GET', 'HEAD'].includes(req.method)) refuseMethod(req, res, ['GET', 'HEAD']);
    req.url = file;
    folders(req, res, next);
  };
}
