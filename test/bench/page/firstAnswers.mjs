// How soon the page answers, and how much it loads until then.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { median } from '../median.mjs';
import { inPage } from './browser.mjs';

const ROUNDS = 5;

/** Prints medians over loads in new browsers, and the gzipped sizes of what is loaded. */
export async function firstAnswers(address, site) {
  const answers = [];
  for (let round = 0; round < ROUNDS; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    answers.push(await inPage((page) => firstAnswer(page, address)));
  }
  const ready = median(answers.map((each) => each.ready));
  const answer = median(answers.map((each) => each.answer));
  console.log(
    `ready after ${ready.toFixed(0)} ms; a line drawn then is answered ${answer.toFixed(0)} ms later`,
  );
  console.log('\nloaded at first, bytes gzipped:');
  let total = 0;
  for (const name of [...new Set(answers[0].files)].toSorted((a, b) => a.localeCompare(b))) {
    const bytes = gzipSync(readFileSync(join(site, name)), { level: 9 }).length;
    if (name !== 'model.safetensors') total += bytes;
    console.log(`  ${name.padEnd(28)} ${String(bytes).padStart(9)}`);
  }
  console.log(`  without the model            ${String(total).padStart(9)}\n`);
}

/** Milliseconds from the start of loading until the page is ready, from then until it has answered a line, and the files. */
async function firstAnswer(page, address) {
  const files = [];
  page.on('response', (response) => files.push(new URL(response.url()).pathname.slice(1) || 'index.html'));
  await page.goto(address);
  await page.locator('html[data-ready]').waitFor();
  const times = await page.evaluate(async () => {
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
  });
  return { ...times, files };
}
