// How long an ONNX file may be.
import { Linear, ReLU, Sequential } from '@gmml/nn';
import { ArgumentError, Generator, zeros } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { Graph } from '../../packages/onnx/src/graph.js';
import { headOf } from '../../packages/onnx/src/heads.js';
import { stepsOf } from '../../packages/onnx/src/model.js';

/** Puts a model into a graph of at most so many bytes of numbers. */
function put(mostBytes: number): Graph {
  const generator = new Generator(1);
  const model = new Sequential(new Linear(10, 8, { generator }), new ReLU(), new Linear(8, 3, { generator }));
  const graph = new Graph(mostBytes);
  headOf(graph, stepsOf(model), { name: 'input', shape: [10] });
  return graph;
}

describe('the numbers of an ONNX file', () => {
  it('may take as many bytes as there may be, and no more', () => {
    const bytes = 4 * (10 * 8 + 8 + 8 * 3 + 3);
    put(bytes);
    expect(() => put(bytes - 1)).toThrow(ArgumentError);
    expect(() => put(bytes - 1)).toThrow(
      `toOnnx: the numbers of the model must fit into ${bytes - 1} bytes, because an ONNX file ends at 2 GB: with 2.bias they take ${bytes} or more. Export the layers in parts, or use a smaller model.`,
    );
  });

  it('are counted before they are copied, a parameter that is used twice once', () => {
    const graph = new Graph(100);
    const tensor = zeros([20]);
    expect([graph.parameter('w', tensor), graph.parameter('w', tensor)]).toEqual(['w', 'w']);
    expect(() => graph.integers([1, 2, 3])).toThrow('with integers they take 104 or more');
  });

  it('end a little below 2 GB', () => {
    const huge = { length: 2 ** 29 } as Float32Array;
    expect(() => new Graph().floats('weight', huge, [2 ** 29])).toThrow('must fit into 2146435072 bytes');
  });
});
