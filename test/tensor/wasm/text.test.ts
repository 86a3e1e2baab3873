// Some emitted modules in WebAssembly's text format, disassembled by wabt, so that a review of a change to an emitter
// shows what comes of it. The texts are in text/; after such a change
//   npx vitest run --project reference test/tensor/wasm/text.test.ts --update
// writes them anew. Whether they compute the right numbers is for the other tests.
import { describe, expect, test } from 'vitest';
import wabt from 'wabt';
import type { ConvSizes, UnaryFunction } from '../../../packages/tensor/src/kernels/kernels.js';
import {
  ModuleBuilder,
  type Flavour,
} from '../../../packages/tensor/src/kernels/wasm/assembler/assembler.js';
import { conv2d } from '../../../packages/tensor/src/kernels/wasm/conv/conv.js';
import { map } from '../../../packages/tensor/src/kernels/wasm/elementwise/elementwise.js';
import { Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import {
  INSTRUCTIONS,
  MEMORY_INSTRUCTIONS,
  type Instruction,
  type MemoryInstruction,
} from '../../../packages/tensor/src/kernels/wasm/assembler/instructions.js';
import { matmul } from '../../../packages/tensor/src/kernels/wasm/linalg/matmul.js';
import type { Emitted } from '../../../packages/tensor/src/kernels/wasm/webAssembly.js';

const plain: Flavour = { relaxed: false, shared: false };
const relaxed: Flavour = { relaxed: true, shared: false };

const toolkit = await wabt();

/** A module's text, nested; where `check` is false one instruction a line, and the code need not be valid. */
function disassemble(bytes: Uint8Array, check = true): string {
  const module = toolkit.readWasm(bytes, {
    simd: true,
    relaxed_simd: true,
    threads: true,
    check,
    readDebugNames: false,
  });
  if (check) {
    module.generateNames();
    module.applyNames();
  }
  const written = module.toText({ foldExprs: check, inlineExport: true });
  module.destroy();
  return oneStatementALine(written);
}

/** Joins the lines of each expression; what holds statements stays as it is. */
function oneStatementALine(text: string): string {
  const joined: string[] = [];
  let depth = 0;
  for (const line of text.trimEnd().split('\n')) {
    if (depth > 0) joined.push(`${joined.pop()} ${line.trimStart()}`);
    else joined.push(line);
    if (depth > 0 || !/^\s*\((module|func|block|loop|if|then|else)\b/.test(line)) {
      for (const character of line) depth += { '(': 1, ')': -1 }[character] ?? 0;
    }
    // What closes beyond the expression closes what holds it.
    depth = Math.max(depth, 0);
  }
  return `${joined.join('\n')}\n`;
}

/** Notes the modules that kernels ask for and compiles none: Node 20 knows no relaxed SIMD. Calls compute nothing. */
class EmittingEngine extends Engine {
  readonly texts: string[] = [];
  private readonly keys = new Set<string>();

  constructor(flavour: Flavour) {
    super({ flavour, capacity: 2 ** 20 });
  }

  override module(key: string, write: (module: ModuleBuilder) => void): Record<string, Emitted> {
    if (!this.keys.has(key)) {
      this.keys.add(key);
      const builder = new ModuleBuilder(this.flavour);
      write(builder);
      this.texts.push(`;; ${key}\n${disassemble(builder.bytes())}`);
    }
    return new Proxy({}, { get: () => () => {} });
  }
}

/** The text of all modules that the kernel asks for. */
function emittedBy(flavour: Flavour, kernel: (engine: Engine) => boolean): string {
  const engine = new EmittingEngine(flavour);
  expect(kernel(engine)).toBe(true);
  return engine.texts.join('\n');
}

const relu: UnaryFunction = {
  name: 'relu',
  f: (x) => Math.max(x, 0),
  df: (x) => (x > 0 ? 1 : 0),
  saves: 'inputs',
};

function relu16(engine: Engine): boolean {
  return map(engine, relu, new Float32Array(16), new Float32Array(16));
}

function matmul16(
  engine: Engine,
  Numbers: typeof Float32Array | typeof Float64Array = Float32Array,
): boolean {
  const sizes = {
    batch: 1,
    m: 16,
    k: 16,
    n: 16,
    strideA: 0,
    strideB: 0,
    transposeA: false,
    transposeB: false,
  };
  return matmul(engine, new Numbers(256), new Numbers(256), sizes, new Numbers(256));
}

/** One block of channels and whole tiles only: 3 × 3 taps on [1, 2, 6, 6] give [1, 8, 4, 4]. */
function conv3x3(engine: Engine): boolean {
  const [n, c, h, w, o, outH, outW] = [1, 2, 6, 6, 8, 4, 4];
  const ones = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  const sizes: ConvSizes = { n, c, h, w, o, kernelH: 3, kernelW: 3, ...ones, padH: 0, padW: 0, outH, outW };
  const [x, weight, out] = [c * h * w, o * c * 9, o * outH * outW].map((size) => new Float32Array(size));
  return conv2d(engine, x, weight, null, sizes, out);
}

test.each([
  { name: 'relu', flavour: plain, kernel: relu16 },
  { name: 'matmul.plain', flavour: plain, kernel: matmul16 },
  { name: 'matmul.relaxed', flavour: relaxed, kernel: matmul16 },
  { name: 'matmul.float64', flavour: plain, kernel: (engine: Engine) => matmul16(engine, Float64Array) },
  { name: 'conv3x3.relaxed', flavour: relaxed, kernel: conv3x3 },
])('text/$name.wat', async ({ name, flavour, kernel }) => {
  await expect(emittedBy(flavour, kernel)).toMatchFileSnapshot(`text/${name}.wat`);
});

describe('every instruction has the name of the text format', () => {
  test.each(Object.keys(INSTRUCTIONS) as Instruction[])('%s', (name) => {
    const bytes = new ModuleBuilder(relaxed).func('run', [], null, (f) => f.op(name)).bytes();
    expect(disassemble(bytes, false)).toMatch(
      new RegExp(String.raw`\(type 0\)\s+${name.replaceAll('.', '[.]')}\s*\)`),
    );
  });

  test.each(Object.keys(MEMORY_INSTRUCTIONS) as MemoryInstruction[])('%s', (name) => {
    const bytes = new ModuleBuilder(relaxed).func('run', [], null, (f) => f.store(name, 48)).bytes();
    expect(disassemble(bytes, false)).toMatch(
      new RegExp(String.raw`\s${name.replaceAll('.', '[.]')} offset=48`),
    );
  });
});
