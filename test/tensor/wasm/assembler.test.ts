import { describe, expect, test } from 'vitest';
import {
  ModuleBuilder,
  type Flavour,
  type FunctionBuilder,
  type Local,
} from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { webAssembly, type WasmMemory } from '../../../packages/tensor/src/kernels/wasm/webAssembly.js';
import { signed, unsigned } from '../../../packages/tensor/src/kernels/wasm/assembler/encoding.js';

const plain: Flavour = { relaxed: false, shared: false };

const wasm = webAssembly();

function instantiate(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WasmMemory,
): { exports: Record<string, unknown> } {
  return new wasm.Instance(new wasm.Module(bytes), { env: { memory } });
}

/** Compiles one function and gives it with the memory it works in. */
function compile(
  parameters: readonly ('i32' | 'f32')[],
  result: 'i32' | 'f32' | null,
  write: (f: FunctionBuilder, ...parameters: Local[]) => void,
): { run: (...args: number[]) => number; floats: Float32Array } {
  const bytes = new ModuleBuilder(plain).func('run', parameters, result, write).bytes();
  const memory = new wasm.Memory({ initial: 1, maximum: 1 });
  const { exports } = instantiate(bytes, memory);
  return { run: exports['run'] as (...args: number[]) => number, floats: new Float32Array(memory.buffer) };
}

describe('encoding', () => {
  test('writes unsigned numbers in LEB128', () => {
    expect([0, 127, 128, 624485, 2 ** 32 - 1].map(unsigned)).toEqual([
      [0x00],
      [0x7f],
      [0x80, 0x01],
      [0xe5, 0x8e, 0x26],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
    ]);
  });

  test('writes signed numbers in LEB128', () => {
    expect([0, -1, 63, 64, -64, -65, -123456, 2 ** 31 - 1, -(2 ** 31)].map(signed)).toEqual([
      [0x00],
      [0x7f],
      [0x3f],
      [0xc0, 0x00],
      [0x40],
      [0xbf, 0x7f],
      [0xc0, 0xbb, 0x78],
      [0xff, 0xff, 0xff, 0xff, 0x07],
      [0x80, 0x80, 0x80, 0x80, 0x78],
    ]);
  });
});

describe('ModuleBuilder', () => {
  test('computes with integers', () => {
    const { run } = compile(['i32', 'i32'], 'i32', (f, a, b) => {
      f.get(a).get(b).op('i32.mul').i32(-7).op('i32.add');
    });
    expect([run(6, 7), run(-3, 5), run(0, 9)]).toEqual([35, -22, -7]);
  });

  test.each([0, 1, 2, 5, 100])('runs a loop %d times', (count) => {
    const { run } = compile(['i32'], 'i32', (f, n) => {
      const [counter, total] = f.localArray('i32', 2);
      f.times(counter, n, () => f.increase(total, counter));
      f.get(total);
    });
    expect(run(count)).toBe((count * (count + 1)) / 2);
  });

  test('runs no loop of a negative or constant zero count', () => {
    const { run } = compile(['i32'], 'i32', (f, n) => {
      const [counter, total] = f.localArray('i32', 2);
      f.times(counter, n, () => f.increase(total, 1));
      f.times(counter, 0, () => f.increase(total, 10));
      f.get(total);
    });
    expect(run(-3)).toBe(0);
  });

  test('nests loops and branches', () => {
    const { run } = compile(['i32'], 'i32', (f, n) => {
      const [i, j, total] = f.localArray('i32', 3);
      f.times(i, n, () => {
        f.times(j, 3, () => {
          f.get(i).i32(1).op('i32.and');
          f.if(
            () => f.increase(total, 1),
            () => f.increase(total, 100),
          );
        });
      });
      f.get(total);
    });
    expect(run(4)).toBe(606);
  });

  test('loads, shuffles, multiplies, adds and stores vectors', () => {
    const { run, floats } = compile(['i32'], null, (f, at) => {
      const [a, b, sum] = f.localArray('v128', 3);
      f.load('v128.load', at, 0).set(a);
      f.load('v128.load32_splat', at, 4).set(b);
      f.f32x4(0.5).set(sum);
      f.multiplyAdd(sum, a, b);
      f.get(at).get(sum).store('v128.store', 16);
      f.get(at).get(a).get(sum).shuffle(0, 4, 3, 7).store('v128.store', 32);
      f.get(at).get(a).storeLane(2, 48);
    });
    floats.set([1, 2, 3, 4], 4);
    run(16);
    expect([...floats.subarray(8, 17)]).toEqual([2.5, 4.5, 6.5, 8.5, 1, 2.5, 4, 8.5, 3]);
  });

  test('reads one lane of a vector, and writes out integers and float64', () => {
    const { run, floats } = compile(['i32'], null, (f, at) => {
      const vector = f.local('v128');
      f.load('v128.load', at).set(vector);
      f.get(at).get(at).get(vector).loadLane(1, 12).store('v128.store', 16);
      f.get(at)
        .i32x4(0, 1, -1, 2 ** 30)
        .store('v128.store', 32);
      f.get(at).f64x2(-Math.PI).store('v128.store', 48);
    });
    floats.set([1, 2, 3, 4], 4);
    run(16);
    expect([...floats.subarray(8, 12)]).toEqual([1, 4, 3, 4]);
    expect([...new Int32Array(floats.buffer, 48, 4)]).toEqual([0, 1, -1, 2 ** 30]);
    expect([...new Float64Array(floats.buffer, 64, 2)]).toEqual([-Math.PI, -Math.PI]);
  });

  test('adds floats as JavaScript does', () => {
    const { run } = compile(['f32', 'f32'], 'f32', (f, a, b) => f.get(a).get(b).op('f32.add'));
    expect([run(3.5, 2.25), run(0.1, 0.2)]).toEqual([5.75, Math.fround(Math.fround(0.1) + Math.fround(0.2))]);
  });

  test('declares shared memory where the flavour says so', () => {
    const module = new ModuleBuilder({ relaxed: false, shared: true }).func('run', [], null, () => {});
    const own = new wasm.Memory({ initial: 1, maximum: 65536 });
    expect(() => instantiate(module.bytes(), own)).toThrow('memory');
    const shared = new wasm.Memory({ initial: 1, maximum: 65536, shared: true });
    expect(instantiate(module.bytes(), shared).exports).toHaveProperty('run');
  });
});
