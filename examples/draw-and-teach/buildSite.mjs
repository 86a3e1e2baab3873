// Puts the page together, for any static server, after tsc -b and the model: node buildSite.mjs [folder of the model] [site]
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [data = here('dist'), site = here('dist/site')] = process.argv.slice(2);

for (const name of ['model.safetensors', 'digits.bin']) {
  if (!existsSync(join(data, name)))
    throw new Error(`${join(data, name)} is missing: npm run demo makes it.`);
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
  cpSync(here(`page/${name}`), join(site, name));
for (const name of ['model.safetensors', 'digits.bin']) cpSync(join(data, name), join(site, name));
// The kernels start their threads with the script beside them.
const kernels = import.meta.resolve('@gmml/tensor/kernels');
cpSync(fileURLToPath(new URL('wasm/threads/gmmlThread.js', kernels)), join(site, 'gmmlThread.js'));
