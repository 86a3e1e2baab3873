// What takes long, beside the page.
import { fitBest, type CovarianceType } from '@gmml/gmm';
import { Generator, useBackend } from '@gmml/tensor';
import { serveTasks, type TaskContext } from '@gmml/tensor/worker';
import { decodeDigits } from '../src/digits.js';
import { DigitModel } from '../src/model.js';
import type { Lesson } from '../src/modelParts.js';
import { trainDigits, type TrainProgress } from '../src/train.js';

const backend = useBackend('auto');

const tasks = {
  /** What computes here. */
  async backend(): Promise<{ backend: string; threads: number }> {
    const { backend: name, threads } = await backend;
    return { backend: name, threads };
  },
  /** Trains a network from first weights on the digits of an address; gives the model's file. */
  async train(
    { epochs, digits }: { epochs: number; digits: string },
    context: TaskContext<TrainProgress>,
  ): Promise<Uint8Array> {
    await backend;
    const response = await fetch(digits);
    if (!response.ok) throw new Error(`${digits} must load: the server said ${response.status}.`);
    const data = decodeDigits(new Uint8Array(await response.arrayBuffer()));
    return (await trainDigits(data, { epochs }, context)).toSafetensors();
  },
  /** The file of a model that has learned these symbols more. */
  async teach({ model, lessons }: { model: Uint8Array; lessons: readonly Lesson[] }): Promise<Uint8Array> {
    await backend;
    const taught = DigitModel.fromSafetensors(model);
    for (const { name, drawings } of lessons) taught.teach(name, drawings);
    return taught.toSafetensors();
  },
  /** The file of a model that has forgotten a symbol. */
  async forget({ model, name }: { model: Uint8Array; name: string }): Promise<Uint8Array> {
    await backend;
    const changed = DigitModel.fromSafetensors(model);
    changed.forget(name);
    return changed.toSafetensors();
  },
  /** BIC of one to six components of each covariance, and the least. */
  chooseMixture({ points }: { points: readonly (readonly number[])[] }): {
    candidates: { covariance: CovarianceType; components: number; bic: number }[];
    best: { covariance: CovarianceType; components: number };
  } {
    const components = [1, 2, 3, 4, 5, 6].filter((count) => count < points.length);
    const shared = { restarts: 3, regularization: 1, generator: new Generator(1) };
    const { candidates, best } = fitBest(points, { components, ...shared });
    return {
      candidates: candidates.map((each) => ({
        covariance: each.covariance,
        components: each.components,
        bic: each.bic,
      })),
      best: { covariance: best.covariance, components: best.components },
    };
  },
};

export type Tasks = typeof tasks;

serveTasks(tasks);
