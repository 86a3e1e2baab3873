// Makes report.png: the beginning of the report of five epochs, as Chromium shows it in light colours: node docs/images/report.mjs, after the build.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { CHROMIUM_ARGUMENTS, findChromium } from '../../test/browser/findChromium.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const picture = path('report.png');
const folder = mkdtempSync(join(tmpdir(), 'gmml-report-'));
try {
  const report = join(folder, 'report.html');
  const program = path('../../packages/cli/dist/gmml-train.js');
  execFileSync(process.execPath, [program, '--epochs', '5', '--report', report], { stdio: 'ignore' });
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGUMENTS });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1650 }, colorScheme: 'light' });
    await page.goto(pathToFileURL(report).href);
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
  console.log(`${picture}: ${Math.round(statSync(picture).size / 1000)} kB`);
} finally {
  rmSync(folder, { recursive: true });
}
