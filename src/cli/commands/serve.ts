import type { Command } from 'commander';
import type { Settings } from '../../settings.js';
import { EXIT } from '../exit-codes.js';
import { settingsOf, withSettings } from '../options.js';
import { print } from '../output.js';

/** `serve` and `index`: the two that bring a folder of pictures up by themselves. */
export function serveCommands(program: Command): void {
  withSettings(
    program.command('serve', { isDefault: true }).description('serve a folder of pictures, or the demo'),
  )
    .argument('[folder]', 'pictures to index; sub-folder names become labels')
    .addHelpText('after', '\nExample:\n  lookalike serve ./photos --data-dir ./data --port 9000')
    .action(async (folder, options) => {
      const settings = settingsOf(options, folder);
      const { serve } = await import('../../main.js');
      await serve(settings);
    });

  withSettings(program.command('index').description('index a folder and stop, without serving'))
    .argument('<folder>', 'pictures to index; sub-folder names become labels')
    .option('--json', 'print the jobs as JSON')
    .addHelpText('after', '\nExample:\n  lookalike index ./photos --data-dir ./data')
    .action((folder, { json, ...options }) => indexOnly(settingsOf(options, folder), json === true));
}

async function indexOnly(settings: Settings, json: boolean): Promise<void> {
  const [{ createApp }, { bringUpWithProgress }] = await Promise.all([
    import('../../app.js'),
    import('../../main.js'),
  ]);
  const app = await createApp(settings);
  try {
    const jobs = await bringUpWithProgress(app);
    print(json, jobs, [`${app.service.info().bank.rows} pictures in ${settings.dataDir}`]);
    if (jobs.some(({ state }) => state !== 'succeeded')) process.exitCode = EXIT.failed;
  } finally {
    await app.close();
  }
}
