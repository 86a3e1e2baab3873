// The figures of the page of examples/draw-and-teach in the README, on a quiet machine, after `npm run demo` has built it:
//
//   node test/bench/page/figures.mjs
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPeers } from '../contenders.mjs';
import { addressOf, stop } from './browser.mjs';
import { serve } from '../../../examples/draw-and-teach/server.mjs';
import { firstAnswers } from './firstAnswers.mjs';
import { serveTfjs } from './tfjsSite.mjs';
import { trainings } from './trainings.mjs';

const site = fileURLToPath(new URL('../../../examples/draw-and-teach/dist/site', import.meta.url));
process.exitCode = await main();

async function main() {
  const lacks = existsSync(join(site, 'main.js'))
    ? await installPeers()
    : `${site} holds no page: npm run demo builds it`;
  if (lacks !== undefined) {
    console.error(`figures: ${lacks}.`);
    return 1;
  }
  const page = await serve(site, 0);
  const tfjs = await serveTfjs();
  try {
    await firstAnswers(addressOf(page), site);
    await trainings(addressOf(page), site, addressOf(tfjs.server));
  } finally {
    stop(page);
    tfjs.close();
  }
  return 0;
}
