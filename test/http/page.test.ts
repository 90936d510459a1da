import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEIC } from '../fixtures/bad-pictures.js';
import { picture } from '../fixtures/pictures.js';
import { startTestServer, type TestServer } from './start.js';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const there = existsSync(CHROMIUM);
if (!there)
  console.warn(`skipped: no browser at ${CHROMIUM} (CHROMIUM_PATH names another), the page is not tested`);
const KEY = 'a-key-of-enough-letters';

describe.skipIf(!there)('the page', () => {
  let browser: Browser;
  let open: TestServer;
  let locked: TestServer;
  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args });
    open = await startTestServer();
    locked = await startTestServer({ apiKeys: [KEY] });
  });
  afterAll(async () => {
    await browser?.close();
    await open?.close();
    await locked?.close();
  });

  /** A new tab at the server's page, and everything that went wrong in it. */
  async function visit(server: TestServer): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(server.url);
    return { page, faults };
  }

  const neighbours = (page: Page) => page.locator('#neighbours li');

  it('shows neighbours and labels for a picture that is dropped on it', async () => {
    const { page, faults } = await visit(open);
    await page.locator('#collection', { hasText: '12 pictures, 3 labels' }).waitFor();
    await drop(page, await picture('green', 2));
    await neighbours(page).nth(9).waitFor();
    expect(await neighbours(page).count()).toBe(10);
    const first = await neighbours(page).first().textContent();
    expect(first).toContain('green/2 é.jpg');
    expect(first).toContain('1.000');
    expect(await page.locator('#labels li').first().textContent()).toMatch(/green\d+ %/);
    expect(await page.locator('#status').textContent()).toContain('This very file is in the collection');
    await page.waitForFunction(() => Array.from(document.images).every((one) => one.naturalWidth > 0));
    expect(faults).toEqual([]); // nothing was refused by the content security policy either
    await page.close();
  });

  it('is worked by the keyboard: the first stop after the link is the picture', async () => {
    const { page } = await visit(open);
    const chooser = page.waitForEvent('filechooser'); // early: the browser must know that it is wanted
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('file');
    await page.keyboard.press('Enter');
    const red = await picture('red', 0);
    await (await chooser).setFiles({ name: 'red.jpg', mimeType: 'image/jpeg', buffer: red });
    await neighbours(page).first().waitFor();
    expect(await neighbours(page).first().textContent()).toContain('red/0 é.jpg');
    await page.close();
  });

  it('searches on from a neighbour that is clicked, under an address that can be shared and gone back from', async () => {
    const { page, faults } = await visit(open);
    await drop(page, await picture('green', 2));
    await neighbours(page).nth(1).click();
    await page.waitForURL(/\?id=/);
    const id = new URL(page.url()).searchParams.get('id');
    await page.locator('#status', { hasText: 'pictures in' }).waitFor();
    expect(await neighbours(page).locator('small').allTextContents()).not.toContain(id); // it is the question
    await page.reload();
    await neighbours(page).nth(9).waitFor();
    await page.goBack();
    await page.waitForURL((url) => url.search === '');
    expect(await neighbours(page).count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('says so when an address names a picture that is not there', async () => {
    const { page } = await visit(open);
    await page.goto(`${open.url}/?id=nobody`);
    await page.locator('#error', { hasText: 'there is no picture "nobody"' }).waitFor();
    await drop(page, await picture('red', 1));
    await neighbours(page).first().waitFor();
    expect(new URL(page.url()).search).toBe('');
    await page.close();
  });

  it('shows calibrated probabilities, and says when it is not sure and when nothing is alike', async () => {
    const { page } = await visit(open);
    const answer = {
      labels: [{ label: 'red', share: 0.4, probability: 0.77 }],
      abstained: true,
      calibration: { applied: true, reason: null },
      neighbours: [
        { id: 'a', label: 'red', score: 0.5, percentile: 40, share: 1, thumbnail: '/v1/images/a/thumbnail' },
      ],
      index: { generation: 1, mode: 'exact', exact: true, rows: 12 },
      query: { kind: 'vector' },
    };
    // A collection of twelve painted squares is too small to be calibrated: this answer stands for one that is.
    await page.route('**/v1/search', (route) => route.fulfill({ json: answer }));
    await drop(page, await picture('red', 1));
    await page.locator('#verdict', { hasText: 'Only a guess' }).waitFor();
    expect(await page.locator('#labels li').first().textContent()).toBe('red77 %');
    answer.neighbours[0]!.percentile = 1;
    await drop(page, await picture('red', 1));
    await page.locator('#verdict', { hasText: 'Nothing in this collection' }).waitFor();
    await page.close();
  });

  it('takes a picture that is pasted', async () => {
    const { page } = await visit(open);
    await drop(page, await picture('blue', 3), 'paste');
    await neighbours(page).first().waitFor();
    expect(await neighbours(page).first().textContent()).toContain('blue/3 é.jpg');
    await page.close();
  });

  it('says in a sentence why a file is refused, and works on', async () => {
    const { page } = await visit(open);
    await drop(page, HEIC);
    const error = page.locator('#error');
    await error.filter({ hasText: 'HEIC' }).waitFor();
    expect(await error.textContent()).toMatch(/^[A-Z].*\.$/);
    expect(await neighbours(page).count()).toBe(0);
    await drop(page, await picture('red', 1));
    await neighbours(page).first().waitFor();
    expect(await error.textContent()).toBe('');
    await page.close();
  });

  it('asks for a key where one is needed, and goes on with it', async () => {
    const { page } = await visit(locked);
    const key = page.getByLabel('API key');
    await key.waitFor();
    await drop(page, await picture('red', 1));
    await page.locator('#error', { hasText: 'key' }).waitFor();
    await key.fill(KEY);
    await key.press('Enter');
    await neighbours(page).first().waitFor();
    await page.locator('#collection', { hasText: '12 pictures' }).waitFor();
    await page.waitForFunction(
      () => (document.querySelector('#neighbours img') as HTMLImageElement).naturalWidth > 0,
    );
    expect(await key.isVisible()).toBe(false);
    await page.close();
  });
});

/** What the browser does when a file is dropped (or pasted) on the page. */
async function drop(page: Page, bytes: Buffer, kind: 'drop' | 'paste' = 'drop'): Promise<void> {
  await page.evaluate(
    ({ base64, kind }) => {
      const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([data], 'picture.jpg', { type: 'image/jpeg' }));
      const event =
        kind === 'drop'
          ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
      document.getElementById('drop')?.dispatchEvent(event);
    },
    { base64: bytes.toString('base64'), kind },
  );
}
