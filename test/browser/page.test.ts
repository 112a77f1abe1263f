/** The pod's page in a real browser: read, edited, sent, copied, by keyboard, in both colours, on a desk and on a phone. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { model, node } from '../../inference-pod/testing/onnx.ts';
import { serveModel, type TestPod, until } from '../../inference-pod/testing/pod.ts';
import { findChromium } from './chromium.ts';

const root = join(import.meta.dirname, '..', '..');
const shots = join(root, '.ballast', 'screenshots');
const nasty = `<script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;

let browser: Browser;
let wine: TestPod;
let hostile: TestPod;
let opened: { page: Page; problems: string[] } | undefined;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  // As root Chromium refuses to run inside of its own sandbox.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath: findChromium() ?? '', args });
  wine = await serveModel(readFileSync(join(root, 'samples/wine/model.onnx')), {
    env: { BALLAST_MODEL_NAME: 'wine', BALLAST_MODEL_VERSION: '3', BALLAST_REVISION: '5f6c9d7b4' },
  });
  hostile = await serveModel(
    model({
      inputs: [{ name: nasty, type: 'INT64', shape: ['N'] }],
      outputs: [{ name: `${nasty}'`, type: 'INT64', shape: ['N'] }],
      nodes: [node('Identity', [nasty], [`${nasty}'`])],
    }),
    { env: { BALLAST_MODEL_NAME: nasty } },
  );
});
afterAll(async () => {
  await browser?.close();
  await wine?.stop();
  await hostile?.stop();
});
afterEach(async () => {
  const problems = opened?.problems;
  await opened?.page.context().close();
  opened = undefined;
  // Errors of the script, and everything that the policy refused.
  expect(problems ?? []).toEqual([]);
});

const open = async (served: TestPod, options: BrowserContextOptions = {}): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A refused request is an answer here, and the browser says it as an error of the page.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(served.url) && !request.url().startsWith('data:'))
      problems.push(`asked for ${request.url()}`);
  });
  opened = { page, problems };
  await page.goto(served.url);
  return page;
};
const textOf = async (page: Page, selector: string) => (await page.textContent(selector)) ?? '';
/** The page's policy refuses what Playwright's own way of waiting needs; single evaluations go past it. */
const settled = (page: Page, condition: string) =>
  until(async () => (await page.evaluate(condition)) === true, 30_000);
const answered = async (page: Page, line: RegExp) => {
  await settled(
    page,
    `${line}.test(document.querySelector('#line').textContent) && !document.querySelector('#send').disabled`,
  );
};

test('says what the model is', async () => {
  const page = await open(wine);
  expect(await page.title()).toBe('wine – model');
  expect(await textOf(page, '#state')).toBe('Ready');
  expect(await textOf(page, 'main')).toMatch(/features\s*FP32\s*\[-1, 13\]/);
  expect(await textOf(page, 'main')).toMatch(/probabilities\s*FP32\s*\[-1, 3\]/);
  expect(await textOf(page, 'main')).toContain((await wine.load()).modelSha256);
});

test('sends what was edited and shows the answer, its time, and the new figures', async () => {
  const page = await open(wine);
  await page.click('#send');
  await answered(page, /^200 OK in [0-9.]+ ms$/);
  const first = JSON.parse(await textOf(page, '#answer'));
  expect(first).toMatchObject({
    model_name: 'wine',
    outputs: [{ name: 'label' }, { name: 'probabilities' }],
  });
  await page.fill(
    '#body',
    JSON.stringify({ inputs: [{ name: 'features', shape: [0, 13], datatype: 'FP32', data: [] }] }),
  );
  await page.click('#send');
  await settled(page, `JSON.parse(document.querySelector('#answer').textContent).outputs[0].shape[0] === 0`);
  await settled(page, `document.querySelector('#figure-requests').textContent === '2'`);
  await page.click('#reset');
  expect(await page.inputValue('#body')).toContain('"shape": [1, 13]');
  expect(await page.isVisible('#result')).toBe(false);
});

test('says what is wrong, of the text and of the request', async () => {
  const page = await open(wine);
  await page.fill('#body', '{');
  await page.click('#send');
  expect(await textOf(page, '#line')).toMatch(/^This is not JSON: /);
  await page.fill('#body', '{"inputs":[]}');
  await page.click('#send');
  await answered(page, /^400 /);
  expect(await textOf(page, '#answer')).toContain('missing required input');
});

test('works by keyboard alone', async () => {
  const page = await open(wine);
  const seen: string[] = [];
  for (let i = 0; i < 10; i += 1) {
    await page.keyboard.press('Tab');
    seen.push(await page.evaluate(`document.activeElement.id || document.activeElement.textContent`));
  }
  expect(seen.slice(0, 5)).toEqual(['body', 'send', 'reset', 'copy', 'command']);
  expect(seen).toEqual(expect.arrayContaining(['OpenAPI', 'Metadata', 'Example request']));
  await page.focus('#body');
  await page.keyboard.press('Control+Enter');
  await answered(page, /^200 OK/);
});

test('the command is copied as it works from where the reader is', async () => {
  const page = await open(wine, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.click('#copy');
  await settled(page, `document.querySelector('#copy').textContent === 'Copied'`);
  const copied = String(await page.evaluate('navigator.clipboard.readText()'));
  expect(copied).toMatch(new RegExp(`^curl -s '${wine.url}/v2/models/wine/infer' `));
  expect(copied).toBe(await textOf(page, '#command'));
});

test('a model that is taken out of service is said without a reload', async () => {
  const page = await open(hostile, { viewport: { width: 360, height: 640 } });
  hostile.directory.writeLiveConfig({ digests: { '': 'f'.repeat(64) } });
  await settled(page, `/^Not ready: DigestMoved/.test(document.querySelector('#state').textContent)`);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  hostile.directory.writeLiveConfig({});
  await settled(page, `document.querySelector('#state').textContent === 'Ready'`);
});

test('names of models and tensors stay text', async () => {
  const page = await open(hostile, { viewport: { width: 360, height: 640 } });
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(await page.title()).toBe(`${nasty} – model`);
  expect(await page.textContent('h1')).toBe(nasty);
  await page.click('#send');
  await answered(page, /^200 OK/);
  expect(await textOf(page, '#answer')).toContain('onerror');
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.locator('script').count()).toBe(1);
  // Exact, where a browser's numbers would not be.
  await page.fill(
    '#body',
    `{"inputs":[{"name":${JSON.stringify(nasty)},"shape":[1],"datatype":"INT64","data":[9007199254740993]}]}`,
  );
  await page.click('#send');
  await settled(page, `document.querySelector('#answer').textContent.includes('9007199254740993')`);
});

describe.each([
  ['desktop', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['desktop-dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true, isMobile: true }],
] as const)('%s', (name, options) => {
  test('nothing is wider than the window, all text can be told from its ground', async () => {
    const page = await open(wine, options);
    await page.click('#send');
    await answered(page, /^200 OK/);
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const contrasts = (await page.evaluate(contrastsOfTexts)) as { text: string; ratio: number }[];
    expect(contrasts.length).toBeGreaterThan(20);
    expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
  });
});

/** Runs in the page: the contrast, as WCAG counts it, of every element that has text of its own. */
const contrastsOfTexts = `(() => {
  const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const light = ({ rgb }) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => { for (let at = node; at; at = at.parentElement) { const color = parse(getComputedStyle(at).backgroundColor); if (color.a > 0) return color; } return { rgb: [255, 255, 255] }; };
  return [...document.body.querySelectorAll('*')]
    .filter((node) => node.offsetParent && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim() !== ''))
    .map((node) => {
      const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
      return { text: node.textContent.slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
    });
})()`;
