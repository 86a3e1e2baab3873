// Feeds mutated files to every reader: node test/soak/fuzz.mjs [files] [seed]. Needs the build. Prints figures, ends with 1
// where a file brought more than a typed error of one line: a crash, more than a second, or too much memory.
import { Worker } from 'node:worker_threads';
import { numbersGiven } from './arguments.mjs';

/** Without a file read for so many milliseconds, the reader is stuck. */
const STUCK = 30_000;

const [files, seed] = numbersGiven('fuzz', { files: 100_000, seed: 1 });
const progress = new SharedArrayBuffer(4);
const start = performance.now();
const worker = new Worker(new URL('./fuzzWorker.mjs', import.meta.url), {
  workerData: { files, seed, progress },
});

let last = { done: -1, at: performance.now() };
const watch = setInterval(() => {
  const done = Atomics.load(new Int32Array(progress), 0);
  if (done !== last.done) last = { done, at: performance.now() };
  else if (performance.now() - last.at > STUCK) {
    console.log(`file ${done} of seed ${seed} hangs its reader.`);
    process.exit(1);
  }
}, 1000);

worker.on('message', ({ results, problems }) => {
  clearInterval(watch);
  for (const { name, read, refused, slowest, mostAByte } of results) {
    console.log(
      `${name}: ${read + refused} files, ${read} read, ${refused} refused, slowest ${Math.ceil(slowest)} ms` +
        (mostAByte > 0 ? `, ${mostAByte.toFixed(1)} bytes a byte beyond 8 MB` : ''),
    );
  }
  for (const { reader, file, what } of problems.slice(0, 20)) console.log(`${reader}, file ${file}: ${what}`);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${files} mutated files, seed ${seed}: ${problems.length} problems, ${seconds} s, ${peak} MB resident at its peak.`,
  );
  process.exitCode = problems.length > 0 ? 1 : 0;
});
worker.on('error', (error) => {
  console.log(`file ${Atomics.load(new Int32Array(progress), 0)} of seed ${seed}: ${error.stack}`);
  process.exit(1);
});
