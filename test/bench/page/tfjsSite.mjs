// The page of tfjs.mjs, bundled and served.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ISOLATED, serve } from '../../../examples/draw-and-teach/server.mjs';
import { stop } from './browser.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The server of tfjs.html, with what threads need and without a policy, because tfjs makes code from strings. */
export async function serveTfjs() {
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
  const server = await serve(folder, 0, ISOLATED);
  const close = () => {
    stop(server);
    rmSync(folder, { recursive: true });
  };
  return { server, close };
}
