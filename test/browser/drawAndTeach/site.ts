// The example's site as `npm run demo` makes it, in a folder of its own.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { areUpToDate, MADE_FILES } from '../../../examples/draw-and-teach/madeFiles.mjs';
import { serve } from '../../../examples/draw-and-teach/server.mjs';
import { decodeDigits, type DigitData } from '../../../examples/draw-and-teach/src/digits.js';

const example = fileURLToPath(new URL('../../../examples/draw-and-teach', import.meta.url));

/** A site that is being served. */
export interface Site {
  readonly address: string;
  /** Where its files lie. */
  readonly folder: string;
  readonly digits: DigitData;
  close(): Promise<void>;
}

/** Builds and serves the page, with the model that was built last, or a new one where that is older than its program. */
export async function startSite(): Promise<Site> {
  const data = mkdtempSync(join(tmpdir(), 'gmml-draw-and-teach-'));
  const folder = join(data, 'site');
  if (areUpToDate()) {
    for (const name of MADE_FILES) copyFileSync(join(example, 'dist', name), join(data, name));
  } else node('dist/src/buildModel.js', data);
  node('buildSite.mjs', data, folder);
  const server = await serve(folder, 0);
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    folder,
    digits: decodeDigits(readFileSync(join(folder, 'digits.bin'))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(data, { recursive: true });
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function node(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [join(example, script), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
