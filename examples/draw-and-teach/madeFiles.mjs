// What dist/src/buildModel.js makes, for the page that takes it.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('dist', import.meta.url));

/** The model and the digits that it is taught and tested with. */
export const MADE_FILES = ['model.safetensors', 'digits.bin'];

/** Whether they are in dist/, newer than the program of this build that makes them. */
export function areUpToDate() {
  const program = join(dist, 'src');
  const newest = Math.max(...readdirSync(program).map((name) => statSync(join(program, name)).mtimeMs));
  const files = MADE_FILES.map((name) => join(dist, name));
  return files.every((file) => existsSync(file)) && statSync(files[0]).mtimeMs > newest;
}
