import { describe, expect, it } from 'vitest';
import { fitHead, GMML } from '@gmml/gmm';
import { DataLoader } from '@gmml/data';
import { Dropout, Linear, Module } from '@gmml/nn';
import { ArgumentError, Generator, isGradEnabled, noGrad, tensor, type Tensor } from '@gmml/tensor';
import { blobs } from './samples.js';

/** Dropout shows whether the network is in evaluation mode. */
class Network extends Module {
  readonly body: Linear;
  readonly dropout = new Dropout(0.5);
  readonly head: GMML;

  constructor() {
    super();
    const generator = new Generator(4);
    this.body = new Linear(5, 3, { generator });
    this.head = new GMML(3, 3, 2, { covType: 'tril', generator });
  }

  features(x: Tensor): Tensor {
    return this.dropout.forward(this.body.forward(x));
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.features(x));
  }
}

const { x: rows, labels: classes } = blobs({ seed: 1, rows: 50, features: 5, components: 2, apart: 4 });
const [x, labels] = [tensor(rows), tensor(classes)];
const batches = (): DataLoader =>
  new DataLoader([x, labels], { batchSize: 8, shuffle: true, generator: new Generator(2) });

describe('fitHead', () => {
  it('fits the head to the features in evaluation mode, and gives the number of rows', () => {
    const network = new Network();
    network.dropout.training = false;
    const features = noGrad(() => network.features(x));
    const expected = new GMML(3, 3, 2, { covType: 'tril' });
    expected.fit(features, labels, { shrinkage: 0.1 });

    network.train();
    network.body.training = false;
    expect(fitHead(network, batches(), { shrinkage: 0.1 })).toBe(50);
    expect(network.head.means()).toBeAllClose(expected.means(), { rtol: 1e-6, atol: 1e-6 });
    expect(network.head.covariances()).toBeAllClose(expected.covariances(), { rtol: 1e-5, atol: 1e-6 });
    expect([network.training, network.dropout.training, network.body.training]).toEqual([true, true, false]);
    expect(isGradEnabled()).toBe(true);
    expect([...network.parameters()].every((parameter) => parameter.grad === null)).toBe(true);
    network.eval();
    expect(network.forward(x).argmax(1).toArray()).toEqual(classes);
  });

  it('takes a head and a function in place of a network', () => {
    const network = new Network().eval();
    const head = new GMML(3, 3, 2);
    const features = (batch: Tensor): Tensor => network.features(batch);
    expect(fitHead({ head, features }, batches())).toBe(50);
    const other = new GMML(3, 3, 2);
    expect(fitHead(network, batches(), { head: other, features })).toBe(50);
    expect(other.means()).toBeAllClose(head.means(), { rtol: 0, atol: 0 });
    expect(other.logTemperature!.item()).toBe(0);
  });

  it('restores every mode and leaves the head alone when something throws', () => {
    const network = new Network();
    const before = network.stateDict();
    const cases: [() => unknown, string][] = [
      [() => fitHead(network, []), 'fitHead: the loader must give rows: it gave none.'],
      [
        () => fitHead(network, batches(), { features: (batch) => batch }),
        'fitHead: features must be [B, 3]: they are [8, 5].',
      ],
      [
        () => fitHead(network, [[x, labels.mul(0)]]),
        'GMML.fit: every class needs an example: there is none of 1. Give more rows.',
      ],
      [
        // As many labels as rows in all, but not in each batch.
        () =>
          fitHead(
            network,
            [0, 1].map(
              (n) => [x.slice(0, 25 * n, 25 * n + 25), labels.slice(0, 24 * n, 24 + 26 * n)] as const,
            ),
          ),
        'fitHead: one label per row: features are [25, 3], labels [24].',
      ],
      [
        () => fitHead(new Linear(5, 3), batches()),
        'fitHead: the head must be a GMML: it is undefined. Give the model a field head, or the option head.',
      ],
      [
        () => fitHead({ head: new Linear(5, 3), features: (batch) => batch }, batches()),
        'fitHead: the head must be a GMML: it is a Linear. Give the model a field head, or the option head.',
      ],
      [
        () => fitHead({ head: network.head }, batches()),
        'fitHead: features must be a function: it is undefined. Give the model a method features(x), or the option features.',
      ],
    ];
    for (const [act, message] of cases) expect(act).toThrow(message);
    expect(() => fitHead(network, [])).toThrow(ArgumentError);
    expect([...network.modules()].every(({ training }) => training)).toBe(true);
    for (const [name, value] of Object.entries(network.stateDict())) {
      expect(value).toBeAllClose(before[name], { rtol: 0, atol: 0 });
    }
  });
});
