import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { settingsOf, withSettings } from '../options.js';
import { print, table } from '../output.js';

/** `doctor`: what works on this machine, and why the rest does not. */
export function doctorCommands(program: Command): void {
  withSettings(program.command('doctor').description('which engines, providers and models work here'))
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExample:\n  lookalike doctor --model ./trained --data-dir ./data')
    .action(async ({ json, ...options }) => {
      const settings = settingsOf(options, null);
      const { doctor } = await import('../../doctor.js');
      const findings = await doctor(settings);
      const faults = findings.filter(({ state }) => state === 'fault').length;
      const verdict = faults === 0 ? 'lookalike works here' : `${faults} of ${findings.length} need mending`;
      const rows = findings.map(({ state, what, detail }) => [state, what, detail]);
      print(json, { findings }, [...table(['', 'what', 'finding'], rows), verdict]);
      if (faults > 0) process.exitCode = EXIT.unusable;
    });
}
