import { expect, test } from 'vitest';
import { Memory } from '../../packages/tensor/src/memory.js';
import {
  allocate,
  arenaOverflows,
  persistentCopy,
  runInScope,
  useMemory,
} from '../../packages/tensor/src/storage.js';

const KIBIBYTE = 1024;

test('hands out from below in whole cache lines and takes back to a mark', () => {
  const memory = new Memory(new ArrayBuffer(64 * KIBIBYTE));
  expect([memory.take(1), memory.take(17), memory.take(0)]).toEqual([0, 16, 48]);
  const mark = memory.mark();
  expect(memory.take(5)).toBe(48);
  memory.reset(mark);
  expect(memory.take(5)).toBe(48);
});

test('has no room beyond its end, nor where blocks are', () => {
  const memory = new Memory(new ArrayBuffer(16 * KIBIBYTE));
  expect(memory.hasRoom(3000)).toBe(true);
  expect(memory.hasRoom(4096)).toBe(false);
  expect(memory.block(1024)).not.toBeNull();
  expect(memory.hasRoom(3000)).toBe(false);
});

test('blocks do not overlap, lie on cache lines and take at most half', () => {
  const memory = new Memory(new ArrayBuffer(16 * KIBIBYTE));
  const [a, b] = [memory.block(100)!, memory.block(1000)!];
  expect([a.length, b.length]).toEqual([100, 1000]);
  expect([a.byteOffset % 64, b.byteOffset % 64]).toEqual([0, 0]);
  expect(b.byteOffset + b.byteLength).toBeLessThanOrEqual(a.byteOffset);
  expect(memory.block(1000)).toBeNull();
});

test('knows what lies in it', () => {
  const memory = new Memory(new ArrayBuffer(KIBIBYTE));
  expect(memory.holds(memory.floats.subarray(3, 5))).toBe(true);
  expect(memory.holds(new Float32Array(2))).toBe(false);
});

test('an exhausted arena leaves arrays to the heap and counts them', () => {
  const memory = new Memory(new ArrayBuffer(16 * KIBIBYTE));
  useMemory(memory);
  try {
    const before = arenaOverflows();
    const held = runInScope(
      () => [3000, 3000, 10].map((size) => memory.holds(allocate('float32', size))),
      (result) => result,
    );
    expect(held).toEqual([true, false, true]);
    expect(arenaOverflows()).toBe(before + 1);
    expect(memory.mark()).toBe(0);
  } finally {
    useMemory(null);
  }
});

test('persistent memory takes float32 until it is full', () => {
  const memory = new Memory(new ArrayBuffer(16 * KIBIBYTE));
  useMemory(memory);
  try {
    const kept = [1500, 1500].map((size) => persistentCopy(new Float32Array(size).fill(2)));
    expect(kept.map((x) => memory.holds(x))).toEqual([true, false]);
    expect(kept.every((x) => x.every((value) => value === 2))).toBe(true);
    expect(memory.holds(persistentCopy(new Float64Array(3)))).toBe(false);
  } finally {
    useMemory(null);
  }
});
