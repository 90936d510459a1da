#!/usr/bin/env node
// Prints the totals of a vitest JSON report as one line.
import { readFileSync } from 'node:fs';

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);
// A file that fails before its first test counts as a failure too.
const brokenFiles = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
console.log(
  `${numPassedTests} passed, ${numFailedTests + brokenFiles.length} failed, ${numPendingTests + numTodoTests} skipped`,
);
