// A Chromium that a test steers: one command in, one answer out.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

import { hear, tell } from './talk.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

const VIEWS = [
  [360, 'dark'],
  [1000, 'dark'],
  [1000, 'light'],
];
const GOES_ON = '/oauth/continue';

const { executable, scripts, pictures } = await hear();
const browser = await chromium.launch({ executablePath: executable, args: FLAGS });
const context = await browser.newContext({ javaScriptEnabled: scripts });
context.setDefaultTimeout(15_000);
const page = await context.newPage();
const asked = [];
const complaints = [];
let status = 0;
context.on('request', (request) => asked.push(request.url()));
page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
page.on('pageerror', (problem) => complaints.push(String(problem)));
page.on('response', (answer) => {
  if (answer.request().isNavigationRequest()) status = answer.status();
});

const COMMANDS = {
  open: ({ url }) => page.goto(url),
  fill: ({ label, text }) => page.getByLabel(label, { exact: true }).fill(text),
  press: ({ button }) => gone(() => page.getByRole('button', { name: button, exact: true }).click()),
  follow: ({ link }) => gone(() => page.getByRole('link', { name: link, exact: true }).click()),
  look: async ({ name }) => ({
    url: page.url(),
    status,
    title: await page.title(),
    text: await page.locator('body').innerText(),
    violations: await shown(name),
  }),
  report: () => ({ asked, complaints }),
};

for (let command = await hear(); command; command = await hear()) {
  const answer = await COMMANDS[command.do](command);
  tell(command.do === 'look' || command.do === 'report' ? answer : {});
}
await browser.close();

/** Do what leads to another page, and wait until that is there, and is no page that goes on by itself. */
async function gone(action) {
  const there = page.waitForEvent('domcontentloaded');
  await action();
  await there;
  await page.waitForURL(({ pathname }) => pathname !== GOES_ON, { waitUntil: 'load' });
}

/** Pictures, and what is wrong with the page for people who see, hear or point otherwise. */
async function shown(name) {
  const found = [];
  for (const [width, colorScheme] of VIEWS) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${pictures}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    if (scripts) found.push(...(await judged()));
  }
  return found;
}

async function judged() {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  return wide ? [...found, 'the page is wider than the screen'] : found;
}
