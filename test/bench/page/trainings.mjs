// How fast the network of the page is trained: in the page, in Node, and by TensorFlow.js in a page.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../median.mjs';
import { inPage } from './browser.mjs';

/** Trainings of each kind, in turn. */
const TRAININGS = 3;

/** Prints images a second, the kinds one after another in each round, so that a slow minute is everyone's. */
export async function trainings(address, site, tfjs) {
  const kinds = {
    'the page, 2 threads': () => trainingInPage(address),
    'Node, 2 threads': () => trainingInNode(site, 2),
    'Node, 1 thread': () => trainingInNode(site, 1),
    'tfjs-wasm in a page, 2 threads': () => tfjsInPage(tfjs, 2),
    'tfjs-wasm in a page, 1 thread': () => tfjsInPage(tfjs, 1),
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

function trainingInPage(address) {
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
function trainingInNode(site, threads) {
  const program = fileURLToPath(new URL('trainInNode.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [program, String(threads), site], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return Number(run.stdout);
}

function tfjsInPage(address, threads) {
  return inPage(async (page) => {
    const failed = new Promise((_, reject) => {
      page.once('pageerror', reject);
    });
    await page.goto(`${address}tfjs.html?threads=${threads}`);
    const done = page.waitForFunction(() => globalThis.imagesPerSecond, null, { timeout: 120_000 });
    const handle = await Promise.race([done, failed]);
    return handle.jsonValue();
  });
}
