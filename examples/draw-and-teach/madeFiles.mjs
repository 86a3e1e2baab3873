// What dist/src/buildModel.js makes, for the page that takes it.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('dist', import.meta.url));

/** The model and the digits that it is taught and tested with. */
export const MADE_FILES = ['model.safetensors', 'digits.bin'];

/** What the program stands on: a model's numbers and its file are theirs. */
const LIBRARIES = ['data', 'gmm', 'nn', 'tensor'].map((name) =>
  dirname(fileURLToPath(import.meta.resolve(`@gmml/${name}`))),
);

/** Whether they are in dist/, newer than the program and the libraries of this build that make them. */
export function areUpToDate() {
  const sources = [join(dist, 'src'), ...LIBRARIES].flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
  );
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  const files = MADE_FILES.map((name) => join(dist, name));
  return files.every((file) => existsSync(file)) && statSync(files[0]).mtimeMs > newest;
}
