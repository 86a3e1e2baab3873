// The types that users see, checked by tsc -b; what is wrong on purpose is written and never called.
import { GMML, GaussianMixture, OpenSetClassifier, type CovType, type OpenSetAnswer } from '@gmml/gmm';
import { Table, DataLoader, type LabelledImages } from '@gmml/data';
import { Adam, Linear, Module, nllLoss, SGD, Sequential, type LoadReport } from '@gmml/nn';
import { toOnnx, type OutputName } from '@gmml/onnx';
import {
  ArgumentError,
  FormatError,
  GmmlError,
  NotPositiveDefiniteError,
  NumericalError,
  randn,
  scope,
  ShapeError,
  Tensor,
  tensor,
  useBackend,
  zeros,
  type BackendChoice,
  type DType,
  type Shape,
} from '@gmml/tensor';
import { serveTasks, TaskWorker, type TaskContext } from '@gmml/tensor/worker';
import { describe, expectTypeOf, it } from 'vitest';

describe('tensors', () => {
  it('have shapes that are read-only lists of numbers, and take literal ones', () => {
    expectTypeOf<Shape>().toEqualTypeOf<readonly number[]>();
    expectTypeOf<Tensor['shape']>().toEqualTypeOf<readonly number[]>();
    expectTypeOf(zeros([2, 3] as const)).toEqualTypeOf<Tensor>();
    const wrong = (x: Tensor): void => {
      // @ts-expect-error -- a shape is not written to
      x.shape[0] = 3;
      // @ts-expect-error -- sizes are numbers
      zeros(['2', 3]);
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });

  it('are of one of two number formats', () => {
    expectTypeOf<DType>().toEqualTypeOf<'float32' | 'float64'>();
    expectTypeOf<Tensor['dtype']>().toEqualTypeOf<DType>();
    const wrong = (): unknown =>
      // @ts-expect-error -- there is no float16
      tensor([1], { dtype: 'float16' });
    expectTypeOf(wrong).returns.toBeUnknown();
  });

  it('are made without options, or with some of them', () => {
    expectTypeOf(randn).toBeCallableWith([2]);
    expectTypeOf(randn).toBeCallableWith([2], { dtype: 'float64' });
    expectTypeOf(randn).toBeCallableWith([2], {});
  });

  it('give numbers as typed arrays, and one number by item', () => {
    expectTypeOf<Tensor['data']>().toEqualTypeOf<Float32Array | Float64Array>();
    expectTypeOf<Tensor['item']>().returns.toBeNumber();
    expectTypeOf(scope(() => 3)).toBeNumber();
    expectTypeOf(scope(() => randn([2]))).toEqualTypeOf<Tensor>();
  });

  it('are computed by a backend that is named', () => {
    expectTypeOf(useBackend).parameter(0).toEqualTypeOf<'auto' | 'reference' | 'wasm'>();
    expectTypeOf(useBackend).returns.resolves.toEqualTypeOf<BackendChoice>();
    // @ts-expect-error -- there is none of this name
    const wrong = (): unknown => useBackend('webgpu');
    expectTypeOf(wrong).returns.toBeUnknown();
  });
});

describe('errors', () => {
  it('are classes that extend one another', () => {
    expectTypeOf<ShapeError>().toExtend<GmmlError>();
    expectTypeOf<ArgumentError>().toExtend<GmmlError>();
    expectTypeOf<FormatError>().toExtend<GmmlError>();
    expectTypeOf<NumericalError>().toExtend<GmmlError>();
    expectTypeOf<NotPositiveDefiniteError>().toExtend<NumericalError>();
    expectTypeOf<NotPositiveDefiniteError['pivot']>().toBeNumber();
    expectTypeOf<GmmlError>().toExtend<Error>();
  });
});

describe('layers and optimizers', () => {
  it('need their sizes and no options', () => {
    expectTypeOf(Linear).toBeConstructibleWith(3, 2);
    expectTypeOf(Linear).toBeConstructibleWith(3, 2, { bias: false });
    expectTypeOf(Adam).toBeConstructibleWith([randn([2])]);
    expectTypeOf(Adam).toBeConstructibleWith([randn([2])], { lr: 0.1, betas: [0.9, 0.99] });
    expectTypeOf<Sequential>().toExtend<Module>();
    expectTypeOf<Module['loadStateDict']>().returns.toEqualTypeOf<LoadReport>();
    const wrong = (): unknown[] => [
      // @ts-expect-error -- a learning rate is a number
      new SGD([randn([2])], { lr: 'auto' }),
      // @ts-expect-error -- Adam has no momentum
      new Adam([randn([2])], { momentum: 0.9 }),
      // @ts-expect-error -- a layer has two sizes
      new Linear(3),
    ];
    expectTypeOf(wrong).returns.toBeArray();
  });

  it('losses say how they are reduced', () => {
    expectTypeOf(nllLoss).toBeCallableWith(randn([1, 2]), tensor([0]));
    expectTypeOf(nllLoss).toBeCallableWith(randn([1, 2]), tensor([0]), { reduction: 'sum' });
    const wrong = (): unknown =>
      // @ts-expect-error -- there is no such reduction
      nllLoss(randn([1, 2]), tensor([0]), { reduction: 'average' });
    expectTypeOf(wrong).returns.toBeUnknown();
  });
});

describe('mixtures', () => {
  it('name their covariances', () => {
    expectTypeOf<CovType>().toEqualTypeOf<'diag' | 'tril' | 'full'>();
    expectTypeOf<OpenSetClassifier['covariance']>().toEqualTypeOf<'full' | 'diag' | 'tied'>();
    expectTypeOf(GMML).toBeConstructibleWith(4, 4, 2);
    expectTypeOf(GaussianMixture).toBeConstructibleWith({ components: 2 });
    const wrong = (): unknown[] => [
      // @ts-expect-error -- a mixture by EM has no 'tril'
      new GaussianMixture({ components: 2, covariance: 'tril' }),
      // @ts-expect-error -- an OpenSetClassifier needs the number of features
      new OpenSetClassifier({}),
    ];
    expectTypeOf(wrong).returns.toBeArray();
  });

  it('answer one vector by one answer, several by several', () => {
    const classifier = new OpenSetClassifier({ features: 2 });
    const one = (): OpenSetAnswer => classifier.predict([1, 2]);
    const typed = (): OpenSetAnswer => classifier.predict(new Float32Array(2));
    const several = (): OpenSetAnswer[] => classifier.predict([[1, 2]]);
    expectTypeOf(one).returns.toEqualTypeOf<OpenSetAnswer>();
    expectTypeOf(typed).returns.toEqualTypeOf<OpenSetAnswer>();
    expectTypeOf(several).returns.toEqualTypeOf<OpenSetAnswer[]>();
    expectTypeOf<OpenSetAnswer['label']>().toEqualTypeOf<string | null>();
    expectTypeOf<OpenSetAnswer['typicality']>().toEqualTypeOf<number | null>();
    const wrong = (answer: OpenSetAnswer): string =>
      // @ts-expect-error -- it may be none of the labels
      answer.label;
    expectTypeOf(wrong).returns.toBeString();
  });
});

describe('models as files', () => {
  it('have outputs that are named', () => {
    expectTypeOf<OutputName>().toEqualTypeOf<'logPosteriors' | 'label' | 'logDensity' | 'typicality'>();
    expectTypeOf(toOnnx).returns.toEqualTypeOf<Uint8Array>();
    expectTypeOf(toOnnx).parameter(1).toHaveProperty('inputShape').toEqualTypeOf<readonly number[]>();
  });
});

describe('data', () => {
  it('come as batches of inputs and labels', () => {
    expectTypeOf<LabelledImages['images']>().toExtend<ArrayLike<number> | Tensor>();
    expectTypeOf<DataLoader>().toExtend<Iterable<unknown>>();
    expectTypeOf<Table['format']>().toExtend<string>();
  });
});

describe('TaskWorker', () => {
  const tasks = {
    fit: async (x: Tensor, { progress }: TaskContext<{ readonly loss: number }>) => {
      progress({ loss: 1 });
      return { means: x };
    },
    count: (text: string) => text.length,
  };

  it('knows names, arguments, results and progress of its tasks', () => {
    expectTypeOf(serveTasks).toBeCallableWith(tasks);
    type Fit = ReturnType<typeof run>;
    const run = (worker: TaskWorker<typeof tasks>) =>
      worker.run('fit', randn([2]), { onProgress: ({ loss }) => expectTypeOf(loss).toBeNumber() });
    const count = (worker: TaskWorker<typeof tasks>) => worker.run('count', 'abc');
    expectTypeOf<Fit>().resolves.toEqualTypeOf<{ means: Tensor }>();
    expectTypeOf(count).returns.resolves.toBeNumber();
    const wrong = (worker: TaskWorker<typeof tasks>): void => {
      // @ts-expect-error -- there is no task of this name
      void worker.run('train', randn([2]));
      // @ts-expect-error -- it counts the characters of a text
      void worker.run('count', 3);
      // @ts-expect-error -- its progress has no such member
      void worker.run('fit', randn([2]), { onProgress: ({ accuracy }) => accuracy });
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});
