import { Adadelta, Adam, AdamW, clipGradNorm, CosineAnnealingLR, SGD, StepLR } from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden, leaf, type Tensors } from './golden.js';

interface Path {
  readonly optimizer: string;
  readonly options: object;
  readonly withoutGradientOfB: readonly number[];
  /** After each step the parameters a and b, and the loss before it. */
  readonly steps: readonly Tensors[];
}

interface Schedule {
  readonly scheduler: string;
  readonly lr: number;
  readonly options: object;
  readonly rates: Tensor;
}

interface Clipping {
  readonly maxNorm: number;
  readonly normType: number;
  readonly before: Tensors;
  readonly total: Tensor;
  readonly after: Tensors;
}

const OPTIMIZERS: Record<string, any> = { SGD, Adadelta, Adam, AdamW };
const SCHEDULERS: Record<string, any> = { StepLR, CosineAnnealingLR };

const {
  start,
  paths,
  schedules,
  clippings,
}: {
  start: { a: Tensor; b: Tensor };
  paths: Path[];
  schedules: Schedule[];
  clippings: Clipping[];
} = golden('optimizers');

/** Σᵢ 2 (aᵢ₊₁ − aᵢ²)² + (1 − aᵢ)²  +  Σ sin 3b + b²/10  +  a₀ b₀₀, as in optimizers.py. */
function loss(a: Tensor, b: Tensor): Tensor {
  const [head, tail] = [a.slice(0, 0, -1), a.slice(0, 1)];
  const valley = tail.sub(head.square()).square().mul(2).add(head.mul(-1).add(1).square()).sum();
  const waves = b.mul(3).sin().add(b.square().mul(0.1)).sum();
  const product = a
    .slice(0, 0, 1)
    .mul(b.reshape([4]).slice(0, 0, 1))
    .sum();
  return valley.add(waves).add(product);
}

describe('optimizers take torch’s 20 steps', () => {
  it.each(paths.map((path): [string, Path] => [nameOf(path), path]))('%s', (_, path) => {
    const [a, b] = [leaf(start.a), leaf(start.b)];
    const optimizer = new OPTIMIZERS[path.optimizer]([a, b], path.options);
    for (const [i, expected] of path.steps.entries()) {
      optimizer.zeroGrad();
      const value = loss(a, b);
      value.backward();
      if (path.withoutGradientOfB.includes(i)) b.zeroGrad();
      optimizer.step();
      expect(differences({ loss: value, a, b }, expected, 1e-12)).toEqual([]);
    }
  });
});

describe('schedules give torch’s learning rates', () => {
  it.each(schedules.map((schedule): [string, Schedule] => [nameOf(schedule), schedule]))(
    '%s',
    (_, schedule) => {
      const optimizer = new SGD([leaf(start.a)], { lr: schedule.lr });
      const scheduler = new SCHEDULERS[schedule.scheduler](optimizer, schedule.options);
      const rates = [optimizer.lr];
      while (rates.length < schedule.rates.size) {
        scheduler.step();
        rates.push(optimizer.lr);
      }
      expect(rates).toBeAllClose(schedule.rates, { rtol: 1e-12, atol: 1e-15 });
    },
  );
});

describe('clipGradNorm scales as torch does', () => {
  it.each(clippings.map((clipping): [string, Clipping] => [nameOf(clipping), clipping]))(
    '%s',
    (_, clipping) => {
      const { maxNorm, normType, before, total, after } = clipping;
      const [a, b] = [leaf(start.a), leaf(start.b)];
      a.grad = before.a.clone();
      b.grad = before.b.clone();
      const actual = clipGradNorm([a, b], maxNorm, { normType });
      expect(differences({ total: actual, a: a.grad, b: b.grad }, { total, ...after }, 1e-14)).toEqual([]);
    },
  );
});

function nameOf(recorded: Path | Schedule | Clipping): string {
  if ('maxNorm' in recorded) {
    const of = recorded.total.item() === 0 ? 'zeros' : `norm ${recorded.total.item()}`;
    return `norm type ${recorded.normType}, at most ${recorded.maxNorm}, gradients of ${of}`;
  }
  const kind = 'optimizer' in recorded ? recorded.optimizer : recorded.scheduler;
  const gaps = 'optimizer' in recorded && recorded.withoutGradientOfB.length > 0;
  return `${kind} ${JSON.stringify(recorded.options)}${gaps ? ', a gradient missing now and then' : ''}`;
}
