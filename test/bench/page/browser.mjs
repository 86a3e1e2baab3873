// Chromium, and what it looks at.
import { chromium } from 'playwright';
import { CHROMIUM_ARGUMENTS, findChromium } from '../../browser/findChromium.mjs';

/** Uses a page of a browser that is started for it. */
export async function inPage(use) {
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGUMENTS });
  try {
    return await use(await browser.newPage({ viewport: { width: 1200, height: 900 } }));
  } finally {
    await browser.close();
  }
}

/** Where a server of this machine is reached. */
export function addressOf(server) {
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Ends a server, whoever is connected to it. */
export function stop(server) {
  server.close();
  server.closeAllConnections();
}
