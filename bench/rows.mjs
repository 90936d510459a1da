// The rows of the benchmarks, in the order in which they run.
import { row as encoder } from './rows/encoder.mjs';
import { row as exact } from './rows/exact.mjs';
import { row as graph } from './rows/graph.mjs';
import { row as importRate } from './rows/import-rate.mjs';
import { row as memory } from './rows/memory.mjs';
import { row as profile } from './rows/profile.mjs';
import { row as saturation } from './rows/saturation.mjs';
import { row as size } from './rows/size.mjs';
import { row as start } from './rows/start.mjs';
import { row as wholeAnswer } from './rows/whole-answer.mjs';

export const ROWS = [
  exact,
  graph,
  size,
  wholeAnswer,
  profile,
  saturation,
  encoder,
  memory,
  importRate,
  start,
];
