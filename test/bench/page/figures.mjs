// The figures of the page of examples/draw-and-teach in the README, on a quiet machine, after `npm run demo` has built it:
//
//   node test/bench/page/figures.mjs [a Chromium]
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { serve } from '../../../examples/draw-and-teach/server.mjs';
import { median } from '../median.mjs';

const ROUNDS = 5;
/** Trainings of each kind, in turn. */
const TRAININGS = 3;
const executablePath = process.argv[2] ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu'];
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const site = path('../../../examples/draw-and-teach/dist/site');

const server = await serve(site, 0);
const address = `http://127.0.0.1:${server.address().port}/`;
try {
  await firstAnswers();
  await trainings();
} finally {
  server.close();
  server.closeAllConnections();
}

/** Images a second, the kinds one after another in each round, so that a slow minute is everyone's. */
async function trainings() {
  const page = 'the page, 2 threads';
  const kinds = {
    [page]: () => trainingInPage(),
    'Node, 2 threads': () => trainingInNode(2),
    'Node, 1 thread': () => trainingInNode(1),
    'tfjs-wasm in a page, 2 threads': () => tfjsInPage(2),
    'tfjs-wasm in a page, 1 thread': () => tfjsInPage(1),
  };
  const found = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (let round = 0; round < TRAININGS; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    for (const [name, measure] of Object.entries(kinds)) found[name].push(await measure());
  }
  console.log('trained, images a second:');
  for (const [name, rates] of Object.entries(found)) {
    const all = rates.map((rate) => rate.toFixed(0)).join(', ');
    console.log(`  ${name.padEnd(32)} ${median(rates).toFixed(0).padStart(6)}  of ${all}`);
  }
}

async function inPage(use) {
  const browser = await chromium.launch({ executablePath, args });
  try {
    return await use(await browser.newPage({ viewport: { width: 1200, height: 900 } }));
  } finally {
    await browser.close();
  }
}

/** From the start of loading, in a new browser each time, until the page is ready and has answered a line that is drawn at once. */
async function firstAnswers() {
  const times = [];
  let files = [];
  for (let round = 0; round < ROUNDS; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await inPage(async (page) => {
      files = [];
      page.on('response', (response) =>
        files.push(new URL(response.url()).pathname.slice(1) || 'index.html'),
      );
      await page.goto(address);
      await page.locator('html[data-ready]').waitFor();
      const loaded = files;
      times.push(
        await page.evaluate(async () => {
          const pad = document.querySelector('#pad');
          const { left, top, width, height } = pad.getBoundingClientRect();
          const send = (type, share) =>
            pad.dispatchEvent(
              new PointerEvent(type, {
                pointerId: 1,
                clientX: left + 0.5 * width,
                clientY: top + share * height,
                bubbles: true,
              }),
            );
          const ready = performance.now();
          send('pointerdown', 0.2);
          for (let share = 0.2; share < 0.8; share += 0.05) send('pointermove', share);
          while (document.querySelector('#answer .label').textContent !== '1') {
            // oxlint-disable-next-line no-await-in-loop -- frame by frame
            await new Promise(requestAnimationFrame);
          }
          return { ready, answer: performance.now() - ready };
        }),
      );
      files = loaded;
    });
  }
  const ready = median(times.map((each) => each.ready));
  const answer = median(times.map((each) => each.answer));
  console.log(
    `ready after ${ready.toFixed(0)} ms; a line drawn then is answered ${answer.toFixed(0)} ms later`,
  );
  console.log('\nloaded at first, bytes gzipped:');
  let total = 0;
  for (const name of [...new Set(files)].toSorted((a, b) => a.localeCompare(b))) {
    const bytes = gzipSync(readFileSync(join(site, name)), { level: 9 }).length;
    if (name !== 'model.safetensors') total += bytes;
    console.log(`  ${name.padEnd(28)} ${String(bytes).padStart(9)}`);
  }
  console.log(`  without the model            ${String(total).padStart(9)}\n`);
}

function trainingInPage() {
  return inPage(async (page) => {
    await page.goto(address);
    await page.locator('html[data-ready]').waitFor();
    await page.locator('#tab-train').click();
    await page.locator('#train-backend', { hasText: 'threads' }).waitFor();
    await page.locator('#epochs').fill('1');
    await page.evaluate(() => {
      globalThis.longest = 0;
      let last = performance.now();
      const next = (now) => {
        globalThis.longest = Math.max(globalThis.longest, now - last);
        last = now;
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });
    await page.locator('#train').click();
    await page.locator('#train-status', { hasText: /^Done/ }).waitFor({ timeout: 300_000 });
    console.log(`longest frame gap ${(await page.evaluate(() => globalThis.longest)).toFixed(0)} ms`);
    return Number((await page.locator('#train-figures dd').first().textContent()).replaceAll(',', ''));
  });
}

/** In a process of its own, as a page is. */
function trainingInNode(threads) {
  const run = spawnSync(process.execPath, [path('trainInNode.mjs'), String(threads), site], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return Number(run.stdout);
}

async function tfjsInPage(threads) {
  const folder = mkdtempSync(join(tmpdir(), 'gmml-tfjs-'));
  await build({
    entryPoints: [path('tfjs.mjs')],
    outfile: join(folder, 'tfjs.js'),
    bundle: true,
    format: 'esm',
    minify: true,
  });
  copyFileSync(path('tfjs.html'), join(folder, 'tfjs.html'));
  for (const name of ['', '-simd', '-threaded-simd']) {
    const file = `tfjs-backend-wasm${name}.wasm`;
    copyFileSync(path(`../node_modules/@tensorflow/tfjs-backend-wasm/dist/${file}`), join(folder, file));
  }
  const tfjs = isolated(folder);
  await new Promise((resolve) => {
    tfjs.listen(0, '127.0.0.1', resolve);
  });
  const rate = await inPage(async (page) => {
    const failed = new Promise((_, reject) => {
      page.once('pageerror', reject);
    });
    await page.goto(`http://127.0.0.1:${tfjs.address().port}/tfjs.html?threads=${threads}`);
    const done = page.waitForFunction(() => globalThis.imagesPerSecond, null, { timeout: 120_000 });
    const handle = await Promise.race([done, failed]);
    return handle.jsonValue();
  });
  tfjs.close();
  tfjs.closeAllConnections();
  rmSync(folder, { recursive: true });
  return rate;
}

/** A server without a policy, because tfjs makes code from strings, but with what threads need. */
function isolated(folder) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
  return createServer((request, response) => {
    const name = new URL(request.url, address).pathname.slice(1);
    if (!(extname(name) in types)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': types[extname(name)],
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(readFileSync(join(folder, name)));
  });
}
