#!/usr/bin/env node
// A picture of the page with an answer on it, for the README.
//   node scripts/screenshot.mjs <url of a running service> <query picture> <out.png>
// Drives an installed Chromium: LOOKALIKE_CHROMIUM, default /usr/bin/chromium.
import { chromium } from 'playwright-core';

const [url, picture, out] = process.argv.slice(2);
if (!out) throw new Error('which url, picture and output file?');
const browser = await chromium.launch({
  executablePath: process.env.LOOKALIKE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 820 }, colorScheme: 'light' });
  await page.goto(url);
  await page.setInputFiles('input[type=file]', picture);
  await page.waitForResponse((response) => response.url().includes('/v1/search'));
  await page.waitForFunction(() => {
    const pictures = [...document.querySelectorAll('#neighbours img')];
    return pictures.length > 0 && pictures.every((one) => one.naturalWidth > 0);
  });
  await page.screenshot({ path: out });
} finally {
  await browser.close();
}
