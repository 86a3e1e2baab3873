// Work shared between threads: the same results whatever the workers do, late, dead or not there at all.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { GmmlError } from '@gmml/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { pieceOf } from '../../../packages/tensor/src/kernels/wasm/arrays.js';
import type { ModuleBuilder } from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { Engine, type Call, type EngineOptions } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { bestFlavour } from '../../../packages/tensor/src/kernels/wasm/probe.js';
import type { RunningWorker } from '../../../packages/tensor/src/kernels/wasm/threads/workers.js';

const started: Engine[] = [];

async function startEngine(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = new Engine({ flavour: bestFlavour(), threads: 2, capacity: 2 ** 20, ...options });
  started.push(engine);
  await engine.start();
  return engine;
}

afterEach(() => {
  for (const engine of started.splice(0)) engine.end();
});

/** The workers themselves, for tests that end them behind the engine's back. */
function workersOf(engine: Engine): RunningWorker[] {
  return (engine as unknown as { pool: { workers: RunningWorker[] } }).pool.workers;
}

/** scale(x, out, count, factor): out = x·factor. */
function emitScale(module: ModuleBuilder): void {
  module.func('scale', ['i32', 'i32', 'i32', 'f32'], null, (f, x, out, count, factor) => {
    f.times(f.local('i32'), count, () => {
      f.get(out).load('v128.load32_splat', x).get(factor).op('f32x4.splat').op('f32x4.mul').storeLane(0);
      f.increase(x, 4).increase(out, 4);
    });
  });
}

/** addNumber(x, count): x += number. A module for each number. */
function emitAdd(number: number): (module: ModuleBuilder) => void {
  return (module) => {
    module.func('addNumber', ['i32', 'i32'], null, (f, x, count) => {
      f.times(f.local('i32'), count, () => {
        f.get(x).load('f32.load', x).f32(number).op('f32.add').store('f32.store');
        f.increase(x, 4);
      });
    });
  };
}

/** A kernel as there are many: out = x·factor + number, a piece of the range for each part. */
function scaleAndAdd(
  engine: Engine,
  parts: number,
  x: number,
  out: number,
  count: number,
  factor: number,
  number: number,
): void {
  const { scale } = engine.module('scale', emitScale);
  const { addNumber } = engine.module(`add ${number}`, emitAdd(number));
  engine.parallel(parts, (call, part) => {
    const { from, to } = pieceOf(count, part, parts);
    call(scale, 4 * (x + from), 4 * (out + from), to - from, factor);
    call(addNumber, 4 * (out + from), to - from);
  });
}

/** Rounds of the kernel with changing sizes and numbers, each result exact. */
function checkRounds(engine: Engine, parts: number, rounds: number, modules = 4): void {
  const [x, out, room] = [0, 40_000, 40_000];
  engine.floats.set(
    Float32Array.from({ length: room }, (_, i) => i),
    x,
  );
  for (let round = 0; round < rounds; round++) {
    const count = [1, 2, 3, 5, 64, 1000, room][round % 7];
    const [factor, number] = [round % 11, Math.floor((round * modules) / rounds)];
    engine.floats.fill(NaN, out, out + count);
    scaleAndAdd(engine, parts, x, out, count, factor, number);
    const wrong = engine.floats
      .subarray(out, out + count)
      .findIndex((value, i) => value !== i * factor + number);
    if (wrong !== -1) {
      throw new Error(`round ${round}: ${engine.floats[out + wrong]} at ${wrong} of ${count}`);
    }
  }
}

/** Waits on this thread for the number at an address to differ from 0: until a worker has come so far. */
function waitForWorker(engine: Engine, address: number): void {
  const words = new Int32Array(engine.floats.buffer);
  const end = performance.now() + 20_000;
  while (Atomics.load(words, address / 4) === 0) {
    if (performance.now() > end) throw new Error('no worker took the part');
  }
}

/** tell(flag): writes 1 there. */
function emitTell(module: ModuleBuilder): void {
  module.func('tell', ['i32'], null, (f, flag) => f.get(flag).f32(1).store('f32.store'));
}

/** once(flag, hang): the first call writes 1 to the flag and then hangs or traps; later ones do nothing. */
function emitOnce(module: ModuleBuilder): void {
  module.func('once', ['i32', 'i32'], null, (f, flag, hang) => {
    const beyond = f.local('i32');
    f.load('i32.load', flag).i32(0).op('i32.eq');
    f.if(() => {
      f.get(flag).f32(1).store('f32.store');
      f.loop(() => f.get(hang).branchIf(0));
      f.i32(-8).set(beyond).load('i32.load', beyond).set(beyond);
    });
  });
}

/** trap(flag): says that it was called and traps, always. */
function emitTrap(module: ModuleBuilder): void {
  module.func('trap', ['i32'], null, (f, flag) => {
    const beyond = f.local('i32');
    f.get(flag).f32(1).store('f32.store').i32(-8).set(beyond).load('i32.load', beyond).set(beyond);
  });
}

describe('threads', () => {
  test('share work exactly, thousands of times', async () => {
    const engine = await startEngine({ threads: 2 });
    expect(engine.threads).toBe(2);
    checkRounds(engine, 2, 5000);
    expect(engine).toMatchObject({ threads: 2, notice: null });
  });

  test('are more than there may be cores', async () => {
    const engine = await startEngine({ threads: 3 });
    checkRounds(engine, 3, 3000);
    checkRounds(engine, 2, 500);
    expect(engine).toMatchObject({ threads: 3, notice: null });
  });

  test('run more parts than there are threads', async () => {
    checkRounds(await startEngine({ threads: 2 }), 5, 500);
    checkRounds(await startEngine({ threads: 1 }), 5, 500);
  });

  test('get modules that are emitted late', async () => {
    const engine = await startEngine();
    checkRounds(engine, 2, 2000, 1000);
    expect(engine).toMatchObject({ threads: 2, notice: null });
  });

  test('work after a pause, when the workers sleep', async () => {
    const engine = await startEngine();
    const { tell } = engine.module('tell', emitTell);
    const pauseAndWork = async (times: number): Promise<void> => {
      if (times === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
      engine.floats[100] = 0;
      engine.parallel(2, (call, part) => (part === 1 ? call(tell, 400) : waitForWorker(engine, 400)));
      checkRounds(engine, 2, 20);
      await pauseAndWork(times - 1);
    };
    await pauseAndWork(20);
    expect(engine.threads).toBe(2);
  });

  test('wait for a part that takes long', async () => {
    const engine = await startEngine();
    const { scale } = engine.module('scale', emitScale);
    const { tell } = engine.module('tell', emitTell);
    engine.floats.fill(1, 0, 100_000);
    engine.parallel(2, (call, part) => {
      if (part === 0) return waitForWorker(engine, 400_000);
      call(tell, 400_000);
      for (let i = 0; i < 1000; i++) call(scale, 0, 4 * 100_001, 100_000, i);
    });
    expect(engine.floats.subarray(100_001, 200_001).every((value) => value === 999)).toBe(true);
  });

  test('run a part with more calls than fit into the mailbox', async () => {
    const engine = await startEngine();
    const { addNumber } = engine.module('add 1', emitAdd(1));
    engine.floats.fill(0, 0, 200);
    engine.parallel(2, (call, part) => {
      for (let i = 0; i < 100_000; i++) call(addNumber, 400 * part, 1);
    });
    expect([engine.floats[0], engine.floats[100]]).toEqual([100_000, 100_000]);
  });

  test('refuse functions of others', async () => {
    const [engine, other] = [await startEngine(), await startEngine()];
    const { scale } = other.module('scale', emitScale);
    expect(() => engine.parallel(2, (call) => call(scale, 0, 0, 0, 1))).toThrow(
      'parallel: the function must come from a module of this engine: it does not.',
    );
    checkRounds(engine, 2, 100);
  });
});

describe('an error in a part', () => {
  test.each([0, 1, 2])('is thrown when all parts have ended: part %i', async (guilty) => {
    const engine = await startEngine({ threads: 3 });
    const { trap } = engine.module('trap', emitTrap);
    const { tell } = engine.module('tell', emitTell);
    engine.floats.fill(0, 0, 3);
    const run = (): void =>
      engine.parallel(3, (call, part) => {
        call(part === guilty ? trap : tell, 4 * part);
        if (part === 0 && guilty !== 0) waitForWorker(engine, 4 * guilty);
      });
    expect(run).toThrow(/memory access out of bounds/);
    expect([...engine.floats.subarray(0, 3)]).toEqual([1, 1, 1]);
    expect(engine).toMatchObject({ threads: 3, notice: null });
    checkRounds(engine, 3, 200);
  });

  test('that only the worker has makes it one thread', async () => {
    const engine = await startEngine();
    const { once } = engine.module('once', emitOnce);
    engine.floats[0] = 0;
    engine.parallel(2, (call, part) => (part === 1 ? call(once, 0, 0) : waitForWorker(engine, 0)));
    expect(engine.threads).toBe(1);
    expect(engine.notice).toBe(
      'a worker failed (RuntimeError: memory access out of bounds): running on one thread',
    );
    checkRounds(engine, 2, 200);
  });
});

describe('a lost worker', () => {
  test('that ends between calls costs nothing but its help', async () => {
    const engine = await startEngine({ threads: 3 });
    checkRounds(engine, 3, 200);
    workersOf(engine)[1].end();
    checkRounds(engine, 3, 200);
    await vi.waitFor(() => expect(engine.threads).toBe(1), { timeout: 20_000 });
    expect(engine.notice).toBe('a worker ended (exit code 1): running on one thread');
    checkRounds(engine, 3, 200);
  });

  test.each([
    ['hangs', false],
    ['is ended in the middle of a part', true],
  ])('that %s has its part run here', async (_, end) => {
    const engine = await startEngine({ threads: 3, patience: { lostMilliseconds: 300 } });
    const { once } = engine.module('once', emitOnce);
    const { tell } = engine.module('tell', emitTell);
    engine.floats.fill(0, 0, 4);
    engine.parallel(3, (call, part) => {
      if (part === 1) call(once, 0, 1);
      if (part > 0) call(tell, 4 * part);
      if (part === 0) waitForWorker(engine, 0);
      if (part === 0 && end) workersOf(engine)[0].end();
    });
    expect([...engine.floats.subarray(0, 4)]).toEqual([1, 1, 1, 0]);
    expect(engine.threads).toBe(1);
    expect(engine.notice).toBe('a worker did not finish a part within 300 ms: running on one thread');
    checkRounds(engine, 3, 200);
  });

  test('that is lost while it changes numbers in place is an error', async () => {
    const engine = await startEngine({ threads: 2, patience: { lostMilliseconds: 300 } });
    const { once } = engine.module('once', emitOnce);
    engine.floats.fill(0, 0, 4);
    const work = (call: Call, part: number): void => {
      if (part === 1) call(once, 0, 1);
      else waitForWorker(engine, 0);
    };
    expect(() => engine.parallel(2, work, { repeatable: false })).toThrow(
      new GmmlError('a worker did not finish a part within 300 ms: what it changed in place is incomplete.'),
    );
    expect(engine.threads).toBe(1);
  });

  test('that does not start in time is not waited for', async () => {
    const engine = await startEngine({ patience: { startMilliseconds: 0 } });
    expect(engine.threads).toBe(1);
    expect(engine.notice).toBe('the workers did not start within 0 ms: running on one thread');
    checkRounds(engine, 2, 200);
  });
});

test('a process with threads exits by itself', { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL('threadsProgram.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 30_000 });
  expect(stdout).toBe('wasm 2\nwasm 3\nreference 1\nwasm 2\n');
});
