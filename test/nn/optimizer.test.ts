// What all optimizers share; their formulas are in sgd.test.ts, adadelta.test.ts and adam.test.ts.

import {
  Adadelta,
  Adam,
  AdamW,
  Linear,
  Optimizer,
  type OptimizerState,
  Parameter,
  Sequential,
  SGD,
} from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, ShapeError, type Tensor, tensor, zeros } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

type Build = (parameters: Iterable<Tensor>) => Optimizer;

const kinds: [name: string, build: Build][] = [
  ['SGD', (parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9, dampening: 0.1 })],
  ['Adadelta', (parameters) => new Adadelta(parameters, { lr: 0.5, weightDecay: 0.01 })],
  ['Adam', (parameters) => new Adam(parameters, { lr: 0.1 })],
  ['AdamW', (parameters) => new AdamW(parameters, { lr: 0.1 })],
];

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const values = (parameters: Tensor[]): number[] => parameters.flatMap(({ data }) => [...data]);

/** Gives each parameter the gradient of Σ(p − target)⁴/4 and takes a step. */
function descend(optimizer: { step(): void; zeroGrad(): void }, parameters: Tensor[], target = 1): void {
  optimizer.zeroGrad();
  for (const parameter of parameters) parameter.sub(target).square().square().sum().mul(0.25).backward();
  optimizer.step();
}

describe.each(kinds)('%s', (name, build) => {
  test('goes down', () => {
    const parameters = [leaf([3, -2]), leaf([0.5])];
    const optimizer = build(parameters);
    const loss = (): number => values(parameters).reduce((sum, p) => sum + (p - 1) ** 4, 0);
    const before = loss();
    for (let i = 0; i < 50; i++) descend(optimizer, parameters);
    expect(loss()).toBeLessThan(0.9 * before);
  });

  test('trains float32 and float64 parameters side by side', () => {
    const narrow = leaf([2]);
    const wide = tensor([2], { dtype: 'float64', requiresGrad: true });
    const optimizer = build([narrow, wide]);
    for (let i = 0; i < 10; i++) descend(optimizer, [narrow, wide]);
    expect(narrow.item()).toBeCloseTo(wide.item(), 5);
    expect(narrow.item()).not.toBe(wide.item());
    expect(narrow.item()).toBe(Math.fround(narrow.item()));
  });

  test('takes any iterable, a model’s parameters among them', () => {
    const model = new Sequential(new Linear(3, 2), new Linear(2, 1));
    const optimizer = build(model.parameters());
    const before = values([...model.parameters()]);
    model
      .forward(ones([4, 3]))
      .square()
      .sum()
      .backward();
    optimizer.step();
    const after = values([...model.parameters()]);
    expect(after.every((value, i) => value !== before[i])).toBe(true);
    optimizer.zeroGrad();
    expect(Array.from(model.parameters(), ({ grad }) => grad)).toEqual(Array(4).fill(null));
  });

  test('skips parameters without a gradient, and counts their steps apart', () => {
    const [always, late] = [leaf([3]), leaf([3])];
    const optimizer = build([always, late]);
    descend(optimizer, [always]);
    descend(optimizer, [always]);
    expect(late.item()).toBe(3);
    expect(optimizer.stateDict().steps).toEqual([2, 0]);

    // Its own first step is the same as the other's was.
    const fresh = leaf([3]);
    descend(build([fresh]), [fresh]);
    descend(optimizer, [always, late]);
    expect(late.item()).toBe(fresh.item());
  });

  test('leaves a frozen Parameter alone', () => {
    const frozen = new Parameter(ones([2]));
    frozen.requiresGrad = false;
    const other = leaf([3]);
    const optimizer = build([frozen, other]);
    descend(optimizer, [other]);
    expect(frozen.toArray()).toEqual([1, 1]);
  });

  test('makes a stale backward an error instead of a wrong gradient', () => {
    const parameter = leaf([2]);
    const optimizer = build([parameter]);
    const stale = parameter.square().sum();
    descend(optimizer, [parameter]);
    expect(() => stale.backward()).toThrow(/changed in place/);
  });

  test('takes an empty parameter', () => {
    const empty = zeros([0, 3], { requiresGrad: true });
    const optimizer = build([empty]);
    descend(optimizer, [empty]);
    expect(optimizer.stateDict().steps).toEqual([1]);
  });

  test('leaves the gradients as they are', () => {
    const parameter = leaf([2, -1]);
    const optimizer = build([parameter]);
    parameter.grad = tensor([0.5, 4]);
    optimizer.step();
    optimizer.step();
    expect(parameter.grad.toArray()).toEqual([0.5, 4]);
  });

  test('refuses parameters that cannot be trained', () => {
    const fails = (parameters: unknown[], message: string): void =>
      expect(() => build(parameters as Tensor[])).toThrow(new ArgumentError(`${name}: ${message}`));
    const x = leaf([1]);
    fails([], 'there must be a parameter to train: there are none.');
    fails([x, leaf([1]), x], 'each parameter must be given once: parameter 2 is parameter 0 again.');
    fails(
      [x, x.mul(2)],
      'parameters must be leaves: parameter 1, [1], is the result of an operation. ' +
        'Give the tensor that it was computed from, or detach() it.',
    );
    fails(
      [tensor([[1, 2]])],
      'parameters must require a gradient: parameter 0, [1, 2], does not. Create it with { requiresGrad: true }.',
    );
    fails([x, 3], 'parameters must be tensors: parameter 1 is 3.');
  });

  test('lr can be set, within its range', () => {
    const parameter = leaf([1]);
    const optimizer = build([parameter]);
    optimizer.lr = 0;
    descend(optimizer, [parameter], 5);
    expect(parameter.item()).toBe(1);
    expect(() => (optimizer.lr = -1)).toThrow(
      new ArgumentError(`${name}: lr must be a finite number of at least 0: it is -1.`),
    );
    expect(optimizer.lr).toBe(0);
  });
});

describe.each(kinds)('the state of %s', (name, build) => {
  const start = (): Tensor[] => [
    randn([2, 3], { generator: new Generator(1), requiresGrad: true }),
    randn([4], { dtype: 'float64', generator: new Generator(2), requiresGrad: true }),
  ];
  const failure = (state: OptimizerState): unknown => {
    const optimizer = build(start());
    const before = optimizer.stateDict();
    let thrown: unknown;
    try {
      optimizer.loadStateDict(state);
    } catch (error) {
      thrown = error;
    }
    expect(optimizer.stateDict()).toEqual(before);
    return thrown;
  };
  const trained = (): OptimizerState => {
    const parameters = start();
    const optimizer = build(parameters);
    descend(optimizer, parameters);
    return optimizer.stateDict();
  };

  test('goes on bit for bit', () => {
    const parameters = start();
    const optimizer = build(parameters);
    for (let i = 0; i < 3; i++) descend(optimizer, parameters);
    // One parameter is a step ahead of the other.
    descend(optimizer, parameters.slice(0, 1));

    const copies = parameters.map((parameter) => {
      const copy = parameter.detach().clone();
      copy.requiresGrad = true;
      return copy;
    });
    const resumed = build(copies);
    resumed.lr = 123;
    resumed.loadStateDict(optimizer.stateDict());
    for (let i = 0; i < 3; i++) {
      descend(optimizer, parameters);
      descend(resumed, copies);
    }
    expect(values(copies)).toEqual(values(parameters));
    expect(resumed.stateDict()).toEqual(optimizer.stateDict());
  });

  test('is a copy, on both ways', () => {
    const parameters = start();
    const optimizer = build(parameters);
    descend(optimizer, parameters);
    const state = optimizer.stateDict();
    const buffers = (s: OptimizerState) =>
      Object.values(s.buffers)
        .flat()
        .map((buffer) => buffer?.toArray());
    const before = buffers(state);
    descend(optimizer, parameters);
    expect(buffers(state)).toEqual(before);

    optimizer.loadStateDict(state);
    descend(optimizer, parameters);
    expect(buffers(state)).toEqual(before);
  });

  test('brings the options along', () => {
    const state = { ...trained(), options: { ...trained().options, lr: 0.25 } };
    const optimizer = build(start());
    optimizer.loadStateDict(state);
    expect(optimizer.lr).toBe(0.25);
    expect(optimizer.stateDict().options).toEqual(state.options);
  });

  test('is refused where it does not fit, changing nothing', () => {
    const state = trained();
    const op = `${name}.loadStateDict`;
    const [buffer] = Object.keys(state.buffers);
    const wanted = Object.keys(state.buffers).join(', ');
    expect(failure(null as never)).toEqual(
      new ArgumentError(`${op}: the state must be an object: it is null.`),
    );
    expect(failure({ algorithm: name } as never)).toEqual(
      new ArgumentError(
        `${op}: the state's options must be ${Object.keys(state.options).join(', ')}: they are none.`,
      ),
    );
    expect(failure({ algorithm: name, options: state.options } as never)).toEqual(
      new ArgumentError(
        `${op}: the state must be of as many parameters as there are: it is of 0, there are 2.`,
      ),
    );
    expect(failure({ algorithm: name, options: state.options, steps: [1, 1] } as never)).toEqual(
      new ArgumentError(`${op}: the state's buffers must be ${wanted}: they are none.`),
    );
    expect(failure({ ...state, algorithm: 'Lion' })).toEqual(
      new ArgumentError(`${op}: the state must come from ${name}: it is from Lion.`),
    );
    expect(failure({ ...state, options: { ...state.options, lr: -1 } })).toEqual(
      new ArgumentError(`${op}: lr must be a finite number of at least 0: it is -1.`),
    );
    expect(failure({ ...state, options: { lr: 1 } })).toEqual(
      new ArgumentError(
        `${op}: the state's options must be ${Object.keys(state.options).join(', ')}: they are lr.`,
      ),
    );
    expect(failure({ ...state, steps: [1] })).toEqual(
      new ArgumentError(
        `${op}: the state must be of as many parameters as there are: it is of 1, there are 2.`,
      ),
    );
    expect(failure({ ...state, steps: [1, -2] })).toEqual(
      new ArgumentError(`${op}: steps must be integers of at least 0: one is -2.`),
    );
    expect(failure({ ...state, buffers: { other: [] } })).toEqual(
      new ArgumentError(`${op}: the state's buffers must be ${wanted}: they are other.`),
    );
    expect(
      failure({ ...state, buffers: { ...state.buffers, [buffer]: [state.buffers[buffer][0], null] } }),
    ).toEqual(
      new ArgumentError(`${op}: a parameter that was updated must have its ${buffer}: parameter 1 has none.`),
    );
    expect(
      failure({ ...state, buffers: { ...state.buffers, [buffer]: [zeros([3, 2]), zeros([4])] } }),
    ).toEqual(
      new ShapeError(
        `${op}: ${buffer} 0 must have its parameter's shape: it is [3, 2], the parameter [2, 3].`,
      ),
    );
  });
});

test('options are copied, on the way in and out', () => {
  const betas: [number, number] = [0.5, 0.9];
  const optimizer = new Adam([leaf([1])], { betas });
  betas[0] = 7;
  (optimizer.stateDict().options.betas as number[])[0] = 8;
  expect(optimizer.stateDict().options.betas).toEqual([0.5, 0.9]);
});

test('SGD without momentum has no buffers, and its state says so', () => {
  const parameter = leaf([1]);
  const optimizer = new SGD([parameter], { lr: 0.5 });
  descend(optimizer, [parameter], 0);
  expect(optimizer.stateDict()).toEqual({
    algorithm: 'SGD',
    options: { lr: 0.5, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    steps: [1],
    buffers: {},
  });
  const other = new SGD([leaf([1])], { momentum: 0.9 });
  other.loadStateDict(optimizer.stateDict());
  expect(other.stateDict()).toEqual(optimizer.stateDict());
});
