/** The door of the trainer: a table from word to command, and what becomes the exit code. */
import { LookalikeError, messageOf } from '../../dist/offline.js';

type Command = (argv: readonly string[]) => Promise<number>;

/** Everything is loaded when it is needed: help and refusals need no TensorFlow. */
const COMMANDS: Record<string, Command> = {
  doctor: async () => {
    const { lines, ok } = await (await import('./doctor.js')).doctor();
    console.log(lines.join('\n'));
    return ok ? 0 : 1;
  },
  study: async (argv) => (await import('./studies/index.js')).runStudy(argv),
  evaluate: async (argv) => (await import('./evaluations/index.js')).evaluateCommand(argv),
  curve: async (argv) => (await import('./evaluations/index.js')).curveCommand(argv),
  sheet: async (argv) => (await import('./evaluations/index.js')).sheetCommand(argv),
};

/** 0 done; 1 failed; 2 wrong arguments; 3 the time limit came; 130 Ctrl-C. */
async function main([word, ...rest]: readonly string[]): Promise<number> {
  const command = word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command) return command(rest);
  const { trainCommand } = await import('./train-command.js');
  return trainCommand(process.argv.slice(2), onInterrupt());
}

/**
 * Ctrl-C ends the training after the step, with a checkpoint; a second one, at least a second later, at once.
 * The pause is there because a terminal and a parent process both send the first one.
 */
function onInterrupt(): () => boolean {
  let first = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (performance.now() - first > 1000) process.exit(130);
      if (first < Number.POSITIVE_INFINITY) return;
      first = performance.now();
      console.log('\nstopping; once more ends at once');
    });
  return () => first < Number.POSITIVE_INFINITY;
}

function isUsageError(error: unknown): boolean {
  if (error instanceof LookalikeError) return error.code === 'invalid_setting';
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = isUsageError(error) ? 2 : 1;
  },
);
