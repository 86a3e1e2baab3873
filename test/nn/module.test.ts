import { BatchNorm2d, Buffer, Conv2d, Flatten, Linear, Module, Parameter, ReLU, Sequential } from '@gmml/nn';
import { ArgumentError, ones, Tensor, tensor, zeros } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

class Scale extends Module {
  readonly unrelated = 'text';
  readonly count = new Buffer(zeros([]));
  readonly factor = new Parameter(tensor([2, 3]));
  readonly absent: Parameter | null = null;
  readonly #hidden = new Parameter(tensor([1]));

  override forward(x: Tensor): Tensor {
    return x.mul(this.factor).mul(this.#hidden);
  }
}

class Tree extends Module {
  readonly inner = new Scale();
  readonly own = new Parameter(zeros([1]));
  readonly branches = [new Scale(), new Linear(2, 1)];
  readonly loose = [new Parameter(zeros([4])), new Parameter(zeros([5]))];

  override forward(x: Tensor): Tensor {
    return this.inner.forward(x);
  }
}

const names = (entries: Iterable<[string, unknown]>): string[] => Array.from(entries, ([name]) => name);

describe('Parameter and Buffer', () => {
  test('a parameter is a leaf that requires a gradient and shares the numbers', () => {
    const source = tensor([1, 2]);
    const parameter = new Parameter(source);
    expect(parameter).toBeInstanceOf(Tensor);
    expect(parameter.requiresGrad).toBe(true);
    expect(parameter.isLeaf).toBe(true);
    expect(source.requiresGrad).toBe(false);
    source.data[0] = 7;
    expect(parameter.toArray()).toEqual([7, 2]);
  });

  test('a parameter made of a computed tensor is a leaf all the same', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const parameter = new Parameter(x.mul(2));
    parameter.sum().backward();
    expect(parameter.isLeaf).toBe(true);
    expect(parameter.grad?.toArray()).toEqual([1, 1]);
    expect(x.grad).toBeNull();
  });

  test('what is computed from them is a plain tensor', () => {
    expect(new Parameter(ones([2])).add(1)).not.toBeInstanceOf(Parameter);
    expect(new Buffer(ones([2])).add(1)).not.toBeInstanceOf(Buffer);
  });

  test('a buffer requires no gradient', () => {
    expect(new Buffer(tensor([1], { requiresGrad: true })).requiresGrad).toBe(false);
  });
});

describe('the fields of a module', () => {
  test('are found in order, modules and arrays included; other and private fields are not', () => {
    expect(names(new Tree().namedParameters())).toEqual([
      'own',
      'loose.0',
      'loose.1',
      'inner.factor',
      'branches.0.factor',
      'branches.1.weight',
      'branches.1.bias',
    ]);
    expect(names(new Tree().namedBuffers())).toEqual(['inner.count', 'branches.0.count']);
    expect(names(new Tree().namedModules())).toEqual(['', 'inner', 'branches.0', 'branches.1']);
  });

  test('parameters() and modules() give the same without names', () => {
    const tree = new Tree();
    expect([...tree.parameters()]).toEqual(Array.from(tree.namedParameters(), ([, parameter]) => parameter));
    expect([...tree.modules()]).toEqual([tree, tree.inner, ...tree.branches]);
  });

  test('a shared module is trained once and saved under both names', () => {
    const shared = new Linear(2, 2, { bias: false });
    const model = new Sequential(shared, new ReLU(), shared);
    expect([...model.parameters()]).toEqual([shared.weight]);
    expect([...model.modules()]).toHaveLength(3);
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '2.weight']);
  });

  test('a module that contains itself is refused', () => {
    class Loop extends Module {
      self: Module = this;
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => new Sequential(new Loop()).stateDict()).toThrow(
      new ArgumentError('Module: a module must not contain itself: it does at 0.self.'),
    );
  });
});

describe('the state dict', () => {
  test("has torch's names in torch's order", () => {
    const model = new Sequential(
      new Conv2d(1, 2, 3, { bias: false }),
      new BatchNorm2d(2),
      new ReLU(),
      new Flatten(),
      new Sequential(new Linear(8, 3)),
    );
    expect(Object.keys(model.stateDict())).toEqual([
      '0.weight',
      '1.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
      '1.num_batches_tracked',
      '4.0.weight',
      '4.0.bias',
    ]);
  });

  test('holds copies that need no gradient', () => {
    const linear = new Linear(1, 1);
    const { weight } = linear.stateDict();
    expect(weight.requiresGrad).toBe(false);
    expect(weight.isLeaf).toBe(true);
    weight.data[0] = 99;
    expect(linear.weight.item()).not.toBe(99);
  });

  test('goes back in, and comes out equal', () => {
    const from = new Tree();
    const to = new Tree();
    from.inner.count.copyFrom([5]);
    from.inner.factor.copyFrom([-1, 0.25]);
    expect(to.loadStateDict(from.stateDict())).toEqual({ missing: [], unexpected: [] });
    const [saved, loaded] = [from.stateDict(), to.stateDict()];
    expect(Object.keys(loaded)).toEqual(Object.keys(saved));
    for (const [name, value] of Object.entries(saved))
      expect(loaded[name].toArray()).toEqual(value.toArray());
  });
});

describe('loadStateDict', () => {
  const model = (): Sequential => new Sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1));
  const numbers = (module: Module): number[] => [...module.parameters()].flatMap(({ data }) => [...data]);

  test('keeps the parameters themselves, their gradients and what requires one', () => {
    const net = model();
    const [weight] = net.parameters();
    weight.grad = ones([3, 2]);
    const frozen = [...net.parameters()][1];
    frozen.requiresGrad = false;
    net.loadStateDict(model().stateDict());
    expect([...net.parameters()][0]).toBe(weight);
    expect(weight.grad.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(frozen.requiresGrad).toBe(false);
  });

  test('converts between number formats', () => {
    const narrow = new Linear(1, 1, { bias: false });
    narrow.loadStateDict({ weight: tensor([[0.1]], { dtype: 'float64' }) });
    expect(narrow.weight.dtype).toBe('float32');
    expect(narrow.weight.item()).toBe(Math.fround(0.1));

    const wide = new Linear(1, 1, { bias: false, dtype: 'float64' });
    wide.loadStateDict({ weight: tensor([[0.1]]) });
    expect(wide.weight.dtype).toBe('float64');
    expect(wide.weight.item()).toBe(Math.fround(0.1));
  });

  test('lists everything that does not fit, and changes nothing', () => {
    const net = model();
    const before = numbers(net);
    const dict: Record<string, Tensor> = {
      '0.weight': zeros([3, 2]),
      '2.weight': zeros([3]),
      '2.bias': zeros([]),
      '3.weight': zeros([1]),
      extra: zeros([1]),
    };
    expect(() => net.loadStateDict(dict)).toThrow(
      new ArgumentError(
        'loadStateDict: the entries must fit the model: missing: 0.bias; unexpected: 3.weight, extra; ' +
          'wrong shape: 2.weight is [3], must be [1, 3], 2.bias is [], must be [1]. ' +
          'Nothing was loaded. Build the model with the options that the state dict was saved with.',
      ),
    );
    expect(numbers(net)).toEqual(before);
  });

  test('refuses what is not a tensor', () => {
    const net = new Linear(1, 1, { bias: false });
    expect(() => net.loadStateDict(null as never)).toThrow(
      new ArgumentError('loadStateDict: the state dict must be an object: it is null.'),
    );
    expect(() => net.loadStateDict({ weight: [[1]] as unknown as Tensor })).toThrow(
      new ArgumentError(
        'loadStateDict: the entries must fit the model: wrong shape: weight is not a tensor, must be [1, 1]. ' +
          'Nothing was loaded. Build the model with the options that the state dict was saved with.',
      ),
    );
  });

  test('takes inherited names for missing ones', () => {
    class Odd extends Module {
      readonly toString_ = new Parameter(zeros([1]));
      override forward(x: Tensor): Tensor {
        return x;
      }
      protected override stateName(): string {
        return 'toString';
      }
    }
    expect(() => new Odd().loadStateDict({})).toThrow(/missing: toString\. Nothing/);
  });

  test('with strict: false loads what there is and reports the rest', () => {
    const net = model();
    const before = numbers(net);
    const report = net.loadStateDict({ '0.bias': tensor([7, 8, 9]), other: zeros([1]) }, { strict: false });
    expect(report).toEqual({ missing: ['0.weight', '2.weight', '2.bias'], unexpected: ['other'] });
    expect(numbers(net)).toEqual([...before.slice(0, 6), 7, 8, 9, ...before.slice(9)]);
  });

  test('with strict: false still refuses a wrong shape', () => {
    const net = model();
    const before = numbers(net);
    const dict = { '0.bias': tensor([7, 8, 9]), '2.bias': zeros([2]) };
    expect(() => net.loadStateDict(dict, { strict: false })).toThrow(
      new ArgumentError(
        'loadStateDict: the entries must fit the model: wrong shape: 2.bias is [2], must be [1]. ' +
          'Nothing was loaded. Build the model with the options that the state dict was saved with.',
      ),
    );
    expect(numbers(net)).toEqual(before);
  });

  test('makes a stale backward an error instead of a wrong gradient', () => {
    const net = new Linear(2, 1, { bias: false });
    const y = net.forward(tensor([[1, 2]], { requiresGrad: true })).sum();
    net.loadStateDict({ weight: zeros([1, 2]) });
    expect(() => y.backward()).toThrow(/changed in place/);
  });
});

describe('train, eval and zeroGrad', () => {
  test('reach every module within', () => {
    const tree = new Tree();
    expect(Array.from(tree.modules(), ({ training }) => training)).toEqual([true, true, true, true]);
    expect(tree.eval()).toBe(tree);
    expect(Array.from(tree.modules(), ({ training }) => training)).toEqual([false, false, false, false]);
    expect(tree.train()).toBe(tree);
    expect(Array.from(tree.modules(), ({ training }) => training)).toEqual([true, true, true, true]);
    expect(tree.train(false).training).toBe(false);
  });

  test('zeroGrad forgets every gradient', () => {
    const linear = new Linear(2, 1);
    linear
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(linear.weight.grad).not.toBeNull();
    linear.zeroGrad();
    expect(Array.from(linear.parameters(), ({ grad }) => grad)).toEqual([null, null]);
  });
});
