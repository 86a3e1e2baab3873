import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Linear, Parameter, SGD } from '@gmml/nn';
import {
  ArgumentError,
  full,
  noGrad,
  ones,
  randn,
  scope,
  ScopeError,
  tensor,
  zeros,
  type Tensor,
} from '@gmml/tensor';
import { kernels } from '@gmml/tensor/kernels';
import { Memory } from '../../packages/tensor/src/memory.js';
import { useMemory } from '../../packages/tensor/src/storage.js';
import { spread } from './opTable/grid.js';
import { opTable } from './opTable/index.js';

const TOUCHED =
  'scope: a tensor of a scope can be used until the scope ends: it has ended. Return the tensor from the scope, or create it outside.';

/** Runs a scope and gives a tensor of it that was not returned. */
function leaked(make: () => Tensor): Tensor {
  let inside: Tensor | undefined;
  scope(() => {
    inside = make();
  });
  return inside!;
}

describe('what comes out', () => {
  test('a tensor is copied', () => {
    const out = scope(() => ones([2, 3]).mul(2));
    scope(() => full([2, 3], NaN));
    expect(out.toArray()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
  });

  test('so are the tensors in arrays and plain objects; other values pass', () => {
    const made = new Map([['a', 1]]);
    const out = scope(() => ({ list: [ones([1]), { deep: zeros([1]) }] as const, made, n: 3, none: null }));
    scope(() => full([100], NaN));
    expect(out.list[0].item()).toBe(1);
    expect(out.list[1].deep.item()).toBe(0);
    expect([out.made, out.n, out.none]).toEqual([made, 3, null]);
  });

  test('a tensor from outside is itself', () => {
    const x = ones([2]);
    expect(scope(() => x)).toBe(x);
  });

  test('a leaf keeps its gradient', () => {
    const x = scope(() => {
      const leaf = tensor([1, 2], { requiresGrad: true });
      leaf.square().sum().backward();
      return leaf;
    });
    scope(() => full([100], NaN));
    expect([x.requiresGrad, x.grad?.toArray()]).toEqual([true, [2, 4]]);
  });

  test('a reshape and its source, which share their numbers', () => {
    const [a, b] = scope(() => {
      const x = ones([4]).add(1);
      return [x, x.reshape([2, 2])];
    });
    expect([a.toArray(), b.toArray()]).toEqual([
      [2, 2, 2, 2],
      [
        [2, 2],
        [2, 2],
      ],
    ]);
  });
});

describe('afterwards', () => {
  test.each<[string, (x: Tensor) => unknown]>([
    ['its numbers', (x) => x.data],
    ['an operation', (x) => x.add(1)],
    ['toArray', (x) => x.toArray()],
    ['item', (x) => x.sum().item()],
    ['the other side of an operation', (x) => ones([2]).mul(x)],
    ['a copy into another', (x) => zeros([2]).copyFrom(x)],
  ])('%s of another tensor of the scope cannot be used', (_, use) => {
    const x = leaked(() => ones([2]).add(1));
    expect(() => use(x)).toThrow(new ScopeError(TOUCHED));
  });

  test('a tensor created in the scope is gone too, as are views', () => {
    expect(() => leaked(() => tensor([1])).data).toThrow(new ScopeError(TOUCHED));
    expect(() => leaked(() => ones([2]).add(1).reshape([2, 1])).data).toThrow(new ScopeError(TOUCHED));
  });

  test('it can still be printed and asked for its shape', () => {
    const x = leaked(() => ones([2, 1]));
    expect(x.shape).toEqual([2, 1]);
    expect(String(x)).toBe('tensor(released with its scope, [2, 1])');
  });

  test('backward cannot go back into the scope: not from inside, not from what was returned', () => {
    const w = tensor([3], { requiresGrad: true });
    const inside = leaked(() => w.mul(2));
    expect(() => inside.backward()).toThrow(
      new ScopeError(
        'backward: mul was computed inside a scope that has ended. Call backward() inside the scope.',
      ),
    );
    const returned = scope(() => w.mul(2));
    expect(returned.requiresGrad).toBe(true);
    expect(() => returned.mul(3).backward()).toThrow(
      new ScopeError(
        'backward: gradients do not pass back into a scope: it has ended. Call backward() inside the scope.',
      ),
    );
    expect(w.grad).toBeNull();
  });

  test('what was computed under noGrad is free', () => {
    const w = tensor([3], { requiresGrad: true });
    const y = scope(() => noGrad(() => w.mul(2)));
    expect([y.requiresGrad, y.mul(w).item()]).toEqual([false, 18]);
  });
});

describe('what stays', () => {
  test('the gradient of a leaf from outside', () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    for (let i = 0; i < 3; i++) scope(() => w.square().sum().backward());
    scope(() => full([100], NaN));
    expect(w.grad!.toArray()).toEqual([6, 12, 18]);
  });

  test('a gradient that was read is not written to by the next step', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const step = (factor: number): void => scope(() => w.mul(factor).sum().backward());
    step(1);
    const first = w.grad!;
    w.zeroGrad();
    step(5);
    expect([first.toArray(), w.grad!.toArray()]).toEqual([
      [1, 1],
      [5, 5],
    ]);
  });

  test('a gradient that nobody read gives its numbers to the next', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.sum().backward();
    const numbers = w.peekGrad()!.data;
    w.zeroGrad();
    expect(w.grad).toBeNull();
    w.mul(5).sum().backward();
    expect(w.peekGrad()!.data).toBe(numbers);
    expect(w.grad!.toArray()).toEqual([5, 5]);
  });

  test('parameters and optimizer state made inside', () => {
    const inside = scope(() => {
      const layer = new Linear(2, 1);
      const optimizer = new SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 });
      layer.forward(ones([1, 2])).backward();
      optimizer.step();
      return [layer, optimizer] as const;
    });
    scope(() => full([100], NaN));
    const [layer, optimizer] = inside;
    scope(() => {
      optimizer.zeroGrad();
      layer.forward(ones([1, 2])).backward();
      optimizer.step();
    });
    expect(optimizer.stateDict().buffers['momentum'][0]!.data.every((v) => Math.abs(v - 1.9) < 1e-6)).toBe(
      true,
    );
    expect(layer.weight.data.every(Number.isFinite)).toBe(true);
  });

  test('a parameter shares its storage with the tensor it is made of', () => {
    const x = ones([2]);
    const parameter = new Parameter(x);
    x.copyFrom([3, 4]);
    expect(parameter.toArray()).toEqual([3, 4]);
  });
});

describe('its end', () => {
  test('comes with an exception, which passes', () => {
    let inside: Tensor | undefined;
    const run = (): void =>
      scope(() => {
        inside = ones([1]);
        throw new RangeError('stop');
      });
    expect(run).toThrow(new RangeError('stop'));
    expect(() => inside!.data).toThrow(ScopeError);
    expect(scope(() => ones([1])).item()).toBe(1);
  });

  test('of an inner scope leaves the outer one alone', () => {
    const total = scope(() => {
      const a = randn([1000]);
      const before = a.data.slice();
      const b = scope(() => a.mul(2));
      scope(() => full([5000], NaN));
      expect(a.data).toEqual(before);
      expect(b.data).toEqual(before.map((x) => 2 * x));
      return b.sub(a).sub(a).abs().max().item();
    });
    expect(total).toBe(0);
  });

  test('what the inner scope returned ends with the outer', () => {
    const b = leaked(() => scope(() => ones([2])));
    expect(() => b.data).toThrow(new ScopeError(TOUCHED));
  });

  test('is not put off by a promise', () => {
    expect(() => scope(async () => ones([1]))).toThrow(
      new ArgumentError('scope: the callback must be synchronous: it returned a promise.'),
    );
  });
});

describe('arrays of an arena hold arbitrary numbers', () => {
  const memory = new Memory(new ArrayBuffer(2 ** 22));
  beforeEach(() => {
    memory.floats.fill(NaN);
    useMemory(memory);
  });
  afterEach(() => useMemory(kernels().memory));

  test.each(opTable.flatMap((row) => row.samples.map((sample) => [row, sample] as const)))(
    '$0.name writes all of them, also its gradients: $1.label',
    (row, { call, inputs }) => {
      const run = (): Tensor[] => {
        const leaves = inputs.map((x) => x.tensor('float32', row.differentiable));
        const y = call(...leaves);
        if (row.differentiable) y.backward(spread(y.shape).tensor('float32'));
        return [y.detach(), ...leaves.flatMap(({ grad }) => grad ?? [])];
      };
      const found = scope(run).map((x) => [...x.data]);
      useMemory(null);
      expect(found).toEqual(run().map((x) => [...x.data]));
    },
  );
});
