#!/usr/bin/env node
import { Command } from 'commander';
import { Problem } from '../client/dist/index.js';
import { benchCommands } from './cli/commands/bench.js';
import { collectionCommands } from './cli/commands/collections.js';
import { doctorCommands } from './cli/commands/doctor.js';
import { embedCommands } from './cli/commands/embed.js';
import { imageCommands } from './cli/commands/images.js';
import { importCommands } from './cli/commands/import.js';
import { infoCommands } from './cli/commands/info.js';
import { jobCommands } from './cli/commands/jobs.js';
import { modelCommands } from './cli/commands/model.js';
import { quantiseCommands } from './cli/commands/quantise.js';
import { reindexCommands } from './cli/commands/reindex.js';
import { reportCommands } from './cli/commands/reports.js';
import { searchCommands } from './cli/commands/search.js';
import { serveCommands } from './cli/commands/serve.js';
import { snapshotCommands } from './cli/commands/snapshot.js';
import { trainCommands } from './cli/commands/train.js';
import { tuneCommands } from './cli/commands/tune.js';
import { EXIT_CODES_HELP, exitCodeOf } from './cli/exit-codes.js';
import { LookalikeError, messageOf } from './core/errors.js';
import { version } from './versions.js';

/** Door 2: a table from command to function. Errors become one sentence and an exit code. */
const GROUPS: Record<string, readonly ((program: Command) => void)[]> = {
  'Serve:': [serveCommands],
  'Ask:': [searchCommands, embedCommands, reportCommands, infoCommands],
  'Pictures:': [imageCommands, importCommands, collectionCommands],
  'Long tasks:': [jobCommands, reindexCommands],
  'Backups:': [snapshotCommands],
  'Encoders:': [trainCommands, modelCommands, quantiseCommands],
  'This machine:': [doctorCommands, tuneCommands, benchCommands],
};

const program = new Command('lookalike')
  .description('Finds pictures that look alike, and says what a picture is')
  .version(version)
  .enablePositionalOptions() // what stands behind "reindex switch" is read by "switch", not by "reindex"
  .showHelpAfterError('(lookalike --help lists the commands)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText(
    'after',
    `
Commands with --url ask a running service; without it they open the data folder themselves.

${EXIT_CODES_HELP}

Examples:
  lookalike serve                          the demo
  lookalike serve ./photos --port 9000     your own folder; sub-folders are labels
  lookalike search x.jpg --url http://localhost:9000
  lookalike train ./photos --out ./trained an encoder of your own
  lookalike serve ./photos --model ./trained`,
  );

for (const [heading, groups] of Object.entries(GROUPS)) {
  program.commandsGroup(heading);
  for (const add of groups) add(program);
}

program.parseAsync().catch((error: unknown) => {
  console.error(`lookalike: ${messageOf(error)}`);
  if (error instanceof Problem && error.code === 'internal') console.error(`request ${error.requestId}`);
  const ours = error instanceof LookalikeError || error instanceof Problem;
  if (!ours && error instanceof Error) console.error(error.stack);
  process.exit(exitCodeOf(error));
});
