/** The report of an import: a line for each entry that was refused, whatever stops in between, and never without end. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { badEntry } from '../../../src/core/import-entry.js';
import { openErrorReport, streamErrorReport } from '../../../src/engines/error-report.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let path: string;
beforeEach(async () => {
  path = join(await tempFolder(), 'errors.ndjson');
});
const bad = (place: string, id?: string) =>
  badEntry(place, new LookalikeError('undecodable_image', 'no picture'), id);
const lines = async () =>
  (await text(streamErrorReport(path)))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('an error report', () => {
  it('has a line for each entry, to be read at once', async () => {
    const report = await openErrorReport(path);
    await report.add(bad('line 1', 'é'));
    expect(await lines()).toEqual([
      { place: 'line 1', id: 'é', code: 'undecodable_image', message: 'no picture' },
    ]);
    await report.add(badEntry('line 2', new Error('odd')));
    await report.close();
    expect(await lines()).toMatchObject([{}, { place: 'line 2', code: 'internal', message: 'odd' }]);
    expect(report.count).toBe(2);
    await report.close();
  });

  it('keeps each line whole when many come at once', async () => {
    const report = await openErrorReport(path);
    await Promise.all(Array.from({ length: 500 }, (_, i) => report.add(bad(`line ${i}\n"`, 'x'.repeat(i)))));
    await report.close();
    const places = (await lines()).map(({ place }) => place);
    expect(places.sort()).toEqual(Array.from({ length: 500 }, (_, i) => `line ${i}\n"`).sort());
  });

  it('counts what is past its limit, and does not write it', async () => {
    const report = await openErrorReport(path, 3);
    for (let i = 0; i < 5; i++) await report.add(bad(`line ${i}`));
    await report.close();
    expect(report.count).toBe(5);
    expect((await lines()).map(({ place }) => place)).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('shortens what is long: a hostile source names megabytes', async () => {
    const report = await openErrorReport(path);
    const long = 'x'.repeat(1_000_000);
    await report.add(badEntry(long, new LookalikeError('internal', long), long));
    await report.close();
    expect((await readFile(path)).length).toBeLessThan(2000);
  });

  it('goes on after a restart, without the line that was cut short', async () => {
    const first = await openErrorReport(path, 3);
    await first.add(bad('line 1'));
    await first.close();
    await appendFile(path, '{"place":"li');
    const report = await openErrorReport(path, 3);
    expect(report.count).toBe(1);
    for (let i = 2; i < 6; i++) await report.add(bad(`line ${i}`));
    await report.close();
    expect((await lines()).map(({ place }) => place)).toEqual(['line 1', 'line 2', 'line 3']);
    expect(report.count).toBe(5);
  });

  it('of nothing is empty', async () => {
    await (await openErrorReport(path)).close();
    expect(await lines()).toEqual([]);
    await writeFile(path, 'half a line');
    await (await openErrorReport(path)).close();
    expect(await readFile(path, 'utf8')).toBe('');
  });
});
