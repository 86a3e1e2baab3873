// This folder's pages as bundlers make them, with the packages' builds in them.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** What esbuild leaves where it lies, since it does not follow `new URL`: the script of the kernels' threads. */
const THREAD = fileURLToPath(
  new URL('../../packages/tensor/dist/kernels/wasm/threads/gmmlThread.js', import.meta.url),
);

/** Builds into an empty folder. */
export type Build = (folder: string) => Promise<void>;

/** Vite finds workers by itself; modules that load others later need the format of modules in workers too. */
export const withVite: Build = async (folder) => {
  await vite({
    configFile: false,
    root: here,
    base: './',
    logLevel: 'error',
    // The conditions of a page, in a build that the tests' own do not reach.
    resolve: { conditions: ['module', 'browser', 'production'] },
    worker: { format: 'es' },
    build: {
      outDir: folder,
      rollupOptions: { input: ['page.html', 'tasks.html'].map((name) => join(here, name)) },
    },
  });
};

/** esbuild takes the page's worker as a second entry, and the script of the threads is copied beside. */
export const withEsbuild: Build = async (folder) => {
  const entryPoints = ['page.js', 'worker.js'].map((name) => join(here, name));
  await esbuild({ ...options, entryPoints, outdir: folder });
  copyFileSync(join(here, 'page.html'), join(folder, 'page.html'));
  copyFileSync(THREAD, join(folder, 'gmmlThread.js'));
};

/** The packages once by esbuild; pages and workers then import them by relative paths, and need no build. */
export const asFiles: Build = async (folder) => {
  const entryPoints = { tensor: '@gmml/tensor', nn: '@gmml/nn', gmm: '@gmml/gmm' };
  await esbuild({ ...options, entryPoints, outdir: folder });
  copyFileSync(THREAD, join(folder, 'gmmlThread.js'));
  for (const name of ['page.html', 'page.js', 'training.js', 'violations.js', 'worker.js']) {
    const text = readFileSync(join(here, name), 'utf8');
    writeFileSync(join(folder, name), text.replaceAll(/'@gmml\/(\w+)'/g, "'./$1.js'"));
  }
};

const options = {
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: true,
  platform: 'browser',
  logLevel: 'error',
  absWorkingDir: here,
} as const;
