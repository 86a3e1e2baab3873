// Makes docs/images/report.png: the beginning of the report of five epochs, as Chromium shows it in light colours. Needs the build.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';

const root = fileURLToPath(new URL('..', import.meta.url));
const picture = join(root, 'docs/images/report.png');
const folder = mkdtempSync(join(tmpdir(), 'gmml-report-'));
try {
  const report = join(folder, 'report.html');
  const program = join(root, 'packages/cli/dist/gmml-train.js');
  execFileSync(process.execPath, [program, '--epochs', '5', '--report', report], { stdio: 'ignore' });
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const find = names.map((name) => `command -v ${name}`).join(' || ');
  const executablePath =
    process.env.CHROMIUM ?? execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
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
