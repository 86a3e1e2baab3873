/* oxlint-disable no-await-in-loop, unicorn/require-post-message-target-origin -- one file after the other; no window */
// Reads mutated files, one after the other, and tells the main thread how each went.
import { parentPort, workerData } from 'node:worker_threads';
import { measureAllocations } from './allocations.mjs';

// Before the libraries are loaded, which take the constructors as they find them.
const allocated = measureAllocations();
const { Generator, GmmlError } = await import('@gmml/tensor');
const { mutated } = await import('./mutations.mjs');
const { allReaders } = await import('./readers.mjs');

/** No file may take longer, in milliseconds. */
const LONGEST = 1000;
/** Bytes of typed arrays that a reader may allocate in all: so many for a byte of the file, and so many besides. */
const MOST_A_BYTE = 64;
const MOST_BESIDES = 8 * 2 ** 20;

const { files, seed, progress } = workerData;
const done = new Int32Array(progress);
const { readers, close } = allReaders();
const results = readers.map(({ name }) => ({
  name,
  read: 0,
  refused: 0,
  slowest: 0,
  mostAByte: 0,
}));
const problems = [];

for (let file = 0; file < files; file++) {
  const reader = readers[file % readers.length];
  const result = results[file % readers.length];
  const generator = new Generator(seed * 1_000_003 + file);
  const pick = () => reader.files[generator.integer(reader.files.length)];
  const { pack = (packed) => packed } = reader;
  // Damage lies within what is packed, or around it.
  const isInside = generator.integer(4) > 0;
  const [one, other] = [pick(), pick()];
  const bytes = isInside ? pack(mutated(one, other, generator)) : mutated(pack(one), pack(other), generator);
  const run = await attempt(reader, bytes);
  result[run.error ? 'refused' : 'read']++;
  let { milliseconds } = run;
  // The machine may have been busy with something else: what hangs, hangs again.
  for (let again = 0; milliseconds > LONGEST && again < 2; again++) {
    milliseconds = Math.min(milliseconds, (await attempt(reader, bytes)).milliseconds);
  }
  result.slowest = Math.max(result.slowest, milliseconds);
  result.mostAByte = Math.max(result.mostAByte, (run.allocated - MOST_BESIDES) / Math.max(1, bytes.length));
  const say = (what) => problems.push({ reader: reader.name, file, what });
  if (run.error && !(run.error instanceof GmmlError)) say(String(run.error.stack ?? run.error));
  if (run.error && /[\n\r]/.test(run.error.message)) say(`more than a line: ${run.error.message}`);
  if (milliseconds > LONGEST) say(`took ${milliseconds} ms`);
  if (run.allocated > MOST_A_BYTE * bytes.length + MOST_BESIDES) {
    say(`allocated ${run.allocated} bytes for ${bytes.length}`);
  }
  Atomics.store(done, 0, file + 1);
}
close();
parentPort.postMessage({ results, problems });

async function attempt(reader, bytes) {
  const before = allocated();
  const start = performance.now();
  let error = null;
  try {
    await reader.read(bytes);
  } catch (thrown) {
    error = thrown;
  }
  return { error, milliseconds: performance.now() - start, allocated: allocated() - before };
}
