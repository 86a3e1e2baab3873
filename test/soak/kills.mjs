// node test/soak/kills.mjs [kills] [seed]: kills gmml-train of the build at random moments, resumes it each time, and
// compares the final weights with those of a run that was never stopped, bit for bit. Checkpoints are written after every
// step of a small network, so that most kills hit a write. Prints figures; exit code 1 where anything differs.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { train, silentReporter } from '@gmml/cli';
import { Generator } from '@gmml/tensor';
import { numbersGiven } from './arguments.mjs';

const program = fileURLToPath(new URL('../../packages/cli/dist/gmml-train.js', import.meta.url));
const [kills, seed] = numbersGiven('kills', { kills: 50, seed: 1 });
/** A life ends within this many writes, and so soon after the beginning of one: the time that a step and its write take. */
const WRITES = 8;
const MILLISECONDS = 10;
/** A life of no write ends within this time, before it trains or as it begins. */
const START_MILLISECONDS = 1000;
const STEPS_AN_EPOCH = 5;
/** Where they do not last for all the kills, another run is started. */
const epochs = Math.max(10, 3 * kills);

const folder = mkdtempSync(join(tmpdir(), 'gmml-kills-'));
try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const generator = new Generator(seed);
  const data = join(folder, 'data');
  writeDigits(data, generator);
  const shape = ['--dim', '32', '--batch-size', '16', '--lr', '0.5', '--epochs', String(epochs)];
  const args = ['--data', data, ...shape, '--no-open-set', '--json'];

  const never = join(folder, 'never-stopped.safetensors');
  const reference = await life([...args, '--save-model', never]);
  const figures = { kills: 0, midWrite: 0, resumes: 0, runs: 0, differences: 0 };
  while (figures.kills < kills) {
    figures.runs++;
    // oxlint-disable-next-line no-await-in-loop -- one run after the other
    await killedRun(args, generator, figures, reference.stdout, never);
  }
  const memory = await longRun(data);

  console.log(`kills survived       ${figures.kills}, of them in the middle of a write ${figures.midWrite}`);
  console.log(
    `resumes              ${figures.resumes}, in ${figures.runs} run(s) of ${epochs * STEPS_AN_EPOCH} steps`,
  );
  console.log(`differences          ${figures.differences} (final weights and epoch lines, bit for bit)`);
  const [start, middle, end] = memory.megabytes;
  console.log(
    `steps without a stop ${memory.steps}, with as many checkpoints: ${start} MB resident after the first epoch, ` +
      `${middle} half way, ${end} at the end`,
  );
  return figures.differences === 0 ? 0 : 1;
}

/** A run from its start to its end, killed on the way as often as is still to be done. */
async function killedRun(args, generator, figures, referenceLines, never) {
  const checkpoints = join(folder, `checkpoints-${figures.runs}`);
  const model = join(folder, `killed-${figures.runs}.safetensors`);
  mkdirSync(checkpoints);
  const kept = ['--checkpoint', checkpoints, '--resume', checkpoints, '--checkpoint-every', '0'];
  const expected = new Set(referenceLines.map(withoutSeconds));
  for (;;) {
    const isLast = figures.kills >= kills;
    const death = isLast
      ? undefined
      : { folder: checkpoints, write: generator.integer(WRITES), share: generator.uniform() };
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    const { code, stdout, stderr } = await life([...args, ...kept, '--save-model', model], death);
    if (stderr.includes('going on from')) figures.resumes++;
    for (const line of stdout)
      if (!expected.has(withoutSeconds(line))) report(figures, `another line: ${line}`);
    if (stderr.includes('damaged')) report(figures, stderr.trim());
    if (code === 0) {
      const isSame = readFileSync(model).equals(readFileSync(never));
      if (!isSame) report(figures, 'the final weights are not those of the run that was never stopped');
      return;
    }
    if (code !== null) {
      report(figures, `exit code ${code}: ${stderr.trim()}`);
      if (isLast) return;
    }
    figures.kills++;
    if (readdirSync(checkpoints).some((name) => name.endsWith('.tmp'))) figures.midWrite++;
  }
}

function report(figures, problem) {
  figures.differences++;
  console.error(problem);
}

/**
 * Runs gmml-train to its end or to its SIGKILL: its code is then null. That comes at a random moment after so many writes have
 * begun in the folder of checkpoints, or after the start.
 */
function life(args, death) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const timers = [];
    const killWithin = (most) => timers.push(setTimeout(() => child.kill('SIGKILL'), death.share * most));
    const begun = new Set();
    const watcher =
      death &&
      watch(death.folder, (_, name) => {
        // Of a name the first event is that it was made. The first name is of no checkpoint: can the folder be written?
        if (!name?.endsWith('.tmp') || begun.has(name)) return;
        begun.add(name);
        if (begun.size === death.write + 1) killWithin(MILLISECONDS);
      });
    if (death?.write === 0) killWithin(START_MILLISECONDS);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      for (const timer of timers) clearTimeout(timer);
      watcher?.close();
      resolve({ code, stdout: stdout.split('\n').filter((line) => line.endsWith('}')), stderr });
    });
  });
}

function withoutSeconds(line) {
  return JSON.stringify({ ...JSON.parse(line), seconds: undefined });
}

/** Resident memory of this process in a run with a checkpoint after every step, in MB. */
async function longRun(data) {
  const resident = [];
  const reporter = { ...silentReporter, epoch: () => resident.push(process.memoryUsage.rss()) };
  const shape = { data, dim: 32, batchSize: 16, lr: 0.5, epochs, openSet: false };
  await train({ ...shape, checkpoint: join(folder, 'long'), checkpointEvery: 0 }, reporter);
  const megabytes = [resident[0], resident[epochs >> 1], resident[epochs - 1]].map((bytes) =>
    Math.round(bytes / 1e6),
  );
  return { steps: epochs * STEPS_AN_EPOCH, megabytes };
}

/** 80 training and 20 test "digits": class c has a bright bar in rows 2 c + 4 and 2 c + 5, under noise. */
function writeDigits(path, generator) {
  mkdirSync(path);
  for (const [part, n] of [
    ['train', 80],
    ['t10k', 20],
  ]) {
    const labels = Array.from({ length: n }, (_, i) => i % 10);
    const pixels = labels.flatMap((label) =>
      Array.from(
        { length: 784 },
        (_, i) => (i < 28 * (2 * label + 6) && i >= 28 * (2 * label + 4) ? 90 : 0) + generator.integer(166),
      ),
    );
    writeFileSync(join(path, `${part}-images-idx3-ubyte`), idx([n, 28, 28], pixels));
    writeFileSync(join(path, `${part}-labels-idx1-ubyte`), idx([n], labels));
  }
}

function idx(shape, bytes) {
  const sizes = shape.flatMap((size) => [0, 0, size >> 8, size & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...bytes]);
}
