// The story's verbs over the command line: a process a call, with --url and --json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli } from './service.mjs';

export function cliDoor(url, collection, scratch) {
  const within = ['--collection', collection];

  /** The answer of a command as JSON; `nothing found` (4) is an answer too. */
  async function run(...args) {
    const { code, stdout, stderr } = await cli(...args, '--json', '--url', url);
    if (code !== 0 && code !== 4) throw new Error(`lookalike ${args.join(' ')}: ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  async function report(command, entries, { more = [], pages = Infinity } = {}) {
    const ask = (...rest) => run(...command, ...within, '--limit', '100', ...more, ...rest);
    let answer = await ask('--fresh');
    const all = [...answer[entries]];
    for (let page = 1; answer.next_cursor !== null && page < pages; page++) {
      answer = await ask('--cursor', answer.next_cursor);
      all.push(...answer[entries]);
    }
    return { ...answer, [entries]: all };
  }

  return {
    name: 'command line',
    createCollection: () => run('collections', 'create', collection),
    async importFolder(folder) {
      const file = join(scratch, 'errors.ndjson');
      const job = await run('import', folder, '--errors', file, ...within);
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      return { job, errors: lines.filter(Boolean).map((line) => JSON.parse(line)) };
    },
    search: (file, more = {}) =>
      run(
        'search',
        file,
        ...within,
        ...Object.entries(more).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      ),
    add: ({ file, id, label }) => run('images', 'add', file, '--id', id, '--label', label, ...within),
    setLabel: (id, label) => run('images', 'edit', id, '--label', label, ...within),
    duplicates: (min_score) => report(['duplicates'], 'groups', { more: ['--min-score', `${min_score}`] }),
    labelReport: (pages) => report(['reports', 'labels'], 'doubts', { pages }),
    addModel: ({ folder, temperature }, name) =>
      run('model', 'add', folder, '--name', name, '--temperature', `${temperature}`),
    reindex: () => run('reindex', ...within),
    prepare: (model) => run('reindex', '--with', model, '--switch', 'manual', ...within),
    switchModel: () => run('reindex', 'switch', ...within),
    rollback: () => run('reindex', 'rollback', ...within),
    info: () => run('info', ...within),
    async snapshot(file) {
      const { result } = await run('snapshot', 'create');
      await run('snapshot', 'download', result.id, '--out', file);
      return result;
    },
  };
}
