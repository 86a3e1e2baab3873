// Puts the page together in dist/site, for any static server: node buildSite.mjs, after tsc -b and the model.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const site = here('dist/site');

for (const name of ['model.safetensors', 'digits.bin']) {
  if (!existsSync(here(`dist/${name}`))) throw new Error(`dist/${name} is missing: npm run demo makes it.`);
}
rmSync(site, { recursive: true, force: true });
mkdirSync(site, { recursive: true });
await build({
  entryPoints: { main: here('page/main.ts'), tasks: here('page/tasks.ts') },
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
for (const name of ['index.html', 'style.css', 'icon.svg', 'opened-as-file.js'])
  cpSync(here(`page/${name}`), `${site}/${name}`);
for (const name of ['model.safetensors', 'digits.bin']) cpSync(here(`dist/${name}`), `${site}/${name}`);
// The kernels start their threads with the script beside them.
const kernels = import.meta.resolve('@gmml/tensor/kernels');
cpSync(fileURLToPath(new URL('wasm/threads/gmmlThread.js', kernels)), `${site}/gmmlThread.js`);
