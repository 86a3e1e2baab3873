// What the JavaScript contenders share: arguments, timing, and JSON lines on standard output for bench.mjs.
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';

// What libraries print must not get between the JSON lines.
for (const name of ['log', 'info', 'debug']) console[name] = console.error;

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    measure: { type: 'string', default: '' },
    seconds: { type: 'string', default: '0.5' },
    warmup: { type: 'string', default: '0.3' },
  },
});

export const threads = Number(values.threads);

const uniform = mulberry32(1);

/** The names of what is to be measured. */
export const wanted = new Set(values.measure.split(','));

/** Images in a training step. */
export const BATCH = 64;
/** Images that are loaded in the measurement of memory: as many as gmml's embedded digits have to train with. */
const TRAIN_IMAGES = 7996;

const PIXELS = 28 * 28;

/** Both ends of a training run: the first step, and the peak memory after all of them. */
export const isStart = wanted.has('firstStep') || wanted.has('memory');

export function report(line) {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Reports how long `run` takes, if it is wanted. `run` may be asynchronous. */
export async function measure(name, run) {
  if (wanted.has(name)) report({ measurement: name, value: await medianMilliseconds(run) });
}

/** Does the first step and says so, does the others and reports the peak memory in MiB. */
export async function measureStart(step, steps = 50) {
  await step();
  report({ measurement: 'firstStep' });
  // oxlint-disable-next-line no-await-in-loop -- steps follow one another
  for (let i = 1; i < steps; i++) await step();
  report({ measurement: 'memory', value: process.resourceUsage().maxRSS / 1024 });
}

/** Warms up, then takes the median of samples of at least a millisecond each; of a single one where a call is slow. */
async function medianMilliseconds(run) {
  const seconds = Number(values.seconds);
  await run();
  const { elapsed, calls } = await repeat(run, Number(values.warmup));
  const each = elapsed / calls;
  const callsASample = Math.max(1, Math.ceil(1e-3 / each));
  const least = each < seconds ? 5 : 1;
  const samples = [];
  const start = now();
  while (samples.length < least || now() - start < seconds) {
    // oxlint-disable-next-line no-await-in-loop -- one sample after another
    samples.push(await timeOf(run, callsASample));
  }
  return 1e3 * median(samples);
}

/** Seconds a call takes, over some calls in a row. */
async function timeOf(run, calls) {
  const start = now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    // A synchronous contender does not pay for a promise.
    // oxlint-disable-next-line no-await-in-loop -- one call after another
    if (result instanceof Promise) await result;
  }
  return (now() - start) / calls;
}

async function repeat(run, seconds) {
  const start = now();
  let calls = 0;
  while (calls === 0 || now() - start < seconds) {
    // oxlint-disable-next-line no-await-in-loop -- one call after another
    await timeOf(run, 1);
    calls++;
  }
  return { elapsed: now() - start, calls };
}

function now() {
  return performance.now() / 1e3;
}

/** n standard normal numbers (Box and Muller 1958) from a small generator: every run has the same. */
export function normals(n) {
  return normalsFrom(uniform, new Float32Array(n));
}

/** Fills an array with normal numbers, two uniform ones for each. */
export function normalsFrom(draw, out) {
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  }
  return out;
}

/** The pixels of TRAIN_IMAGES images, cheaply: the same batch over and over. */
export function manyPixels() {
  const batch = normals(BATCH * PIXELS);
  const pixels = new Float32Array(TRAIN_IMAGES * PIXELS);
  for (let at = 0; at < pixels.length; at += batch.length) {
    pixels.set(batch.subarray(0, pixels.length - at), at);
  }
  return pixels;
}

/** n class numbers from 0 to 9. */
export function classes(n) {
  return Float32Array.from({ length: n }, () => Math.floor(10 * uniform()));
}

/** Draws from [0, 1). */
export function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
