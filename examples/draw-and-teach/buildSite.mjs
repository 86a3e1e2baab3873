// Puts the page together, for any static server, after tsc -b and the model: node buildSite.mjs [folder of the model] [site]
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { MADE_FILES } from './madeFiles.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [data = here('dist'), site = here('dist/site')] = process.argv.slice(2);

const missing = MADE_FILES.map((name) => join(data, name)).find((file) => !existsSync(file));
if (missing !== undefined) fail(`${missing} is missing: npm run demo makes it.`);
// The folder is emptied: nobody else's.
if (existsSync(site) && readdirSync(site).length > 0 && !existsSync(join(site, MADE_FILES[0]))) {
  fail(
    `the site's folder must be new, empty, or a site that was built before: ${site} holds something else.`,
  );
}
rmSync(site, { recursive: true, force: true });
mkdirSync(site, { recursive: true });
await build({
  entryPoints: { main: here('page/main.ts'), tasks: here('page/tasks.ts'), style: here('page/style.css') },
  outdir: site,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg', 'opened-as-file.js'])
  cpSync(here(`page/${name}`), join(site, name));
for (const name of MADE_FILES) cpSync(join(data, name), join(site, name));
// The kernels start their threads with the script beside them.
const kernels = import.meta.resolve('@gmml/tensor/kernels');
cpSync(fileURLToPath(new URL('wasm/threads/gmmlThread.js', kernels)), join(site, 'gmmlThread.js'));

function fail(message) {
  console.error(`buildSite: ${message}`);
  process.exit(1);
}
