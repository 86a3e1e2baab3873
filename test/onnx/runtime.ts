// What the tests of @gmml/onnx share: onnxruntime-web, plain WebAssembly on one thread, and comparing its answers with ours.
import { fromBinary } from '@bufbuild/protobuf';
import type { GMML } from '@gmml/gmm';
import { noGrad, type Tensor } from '@gmml/tensor';
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { expect } from 'vitest';
import { ModelProtoSchema, type ModelProto } from '../../packages/onnx/src/protobuf/onnx_pb.js';

env.wasm.numThreads = 1;
env.logLevel = 'error';

/** An output, as the runtime gives it or as it must be. */
export interface Answer {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A file, ready to answer. */
export type Session = (x: Tensor) => Promise<Record<string, Answer>>;

export async function load(bytes: Uint8Array): Promise<Session> {
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return async (x) => {
    const input = new OrtTensor('float32', Float32Array.from(x.data), [...x.shape]);
    const answers = Object.entries(await session.run({ input }));
    return Object.fromEntries(
      answers.map(([name, { data, dims }]) => [
        name,
        { shape: dims, data: Float64Array.from(data as ArrayLike<number | bigint>, Number) },
      ]),
    );
  };
}

export function decoded(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, bytes);
}

/** What a mixture head says of features, as the file must say it. */
export function mixtureAnswers(head: GMML, features: Tensor): Record<string, Answer> {
  return noGrad(() => ({
    logPosteriors: head.forward(features),
    label: head.predict(features),
    logDensity: head.logDensity(features),
  }));
}

/** How far an answer may be from b, which stands in this row. */
export type Tolerance = (b: number, row: number, name: string) => number;

export const atNormalScale: Tolerance = (b) => 1e-4 * (1 + Math.abs(b));

/** Logarithms within 1e-5 of the largest of the row's log-likelihoods [N, n]; a p-value as at normal scale. */
export function ofLargest({ shape, data }: Answer): Tolerance {
  const width = data.length / shape[0];
  const largest = Array.from({ length: shape[0] }, (_, row) =>
    Math.max(
      ...Array.from(data)
        .slice(row * width, (row + 1) * width)
        .map(Math.abs),
    ),
  );
  return (b, row, name) => (name === 'typicality' ? atNormalScale(b, row, name) : 1e-5 * largest[row]);
}

/** Inputs and what the file must say of them. */
export interface Case {
  readonly x: Tensor;
  readonly expected: Record<string, Answer>;
  readonly tolerance: Tolerance;
}

export async function expectAnswers(answer: Session, cases: readonly Case[]): Promise<void> {
  const answers = await Promise.all(cases.map(({ x }) => answer(x)));
  for (const [i, { expected, tolerance }] of cases.entries()) expectSame(answers[i], expected, tolerance);
}

/** Whether two answers agree: numbers within the tolerance, labels but where the best posteriors are tied within it. */
export function expectSame(
  actual: Record<string, Answer>,
  expected: Record<string, Answer>,
  tolerance: Tolerance,
): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(actual[name].shape, name).toEqual([...shape]);
    const width = data.length / shape[0];
    for (const [at, b] of Array.from(data).entries()) {
      const row = Math.floor(at / width);
      const a = actual[name].data[at];
      const isSame =
        name === 'label'
          ? a === b || isTied(expected.logPosteriors, row, tolerance)
          : isClose(a, b, tolerance(b, row, name));
      if (!isSame) expect.fail(`${name} of row ${row} is ${a}: it must be ${b}`);
    }
  }
}

function isClose(a: number, b: number, tolerance: number): boolean {
  // The logarithm of a probability that float64 has no number for.
  return b === -Infinity ? a < -700 : Math.abs(a - b) <= tolerance;
}

function isTied({ shape, data }: Answer, row: number, tolerance: Tolerance): boolean {
  const ofRow = Array.from(data).slice(row * shape[1], (row + 1) * shape[1]);
  const [best, second = -Infinity] = ofRow.toSorted((a, b) => b - a);
  return best - second <= tolerance(best, row, 'logPosteriors');
}
