/** Typed client of lookalike: every route of `openapi.yaml` by its path, and what callers do around them. */
export { type Answer, type Client, type ClientOptions, createClient } from './client.js';
export {
  type ImportOptions,
  type ImportSource,
  type ImportType,
  importTypeOf,
  startImport,
} from './imports.js';
export { type Job, type JobWait, waitForJob } from './jobs.js';
export { pagesOf } from './pages.js';
export { Problem } from './problem.js';
export type { components, operations, paths } from './schema.js';
