import type { GMML } from '@gmml/gmm';
import type { LabelledImages } from '@gmml/data';
import { images } from '../formatting.js';
import { overFeatures } from '../openSet/headOutputs.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import type { Gaussians } from './gaussians.js';
import { html, type Html } from './html.js';
import { picture, pixelsOf } from './pictures.js';

/** Classes that are shown, and Gaussians of each. */
const MOST = { classes: 40, components: 4 };

/** Of each class the mean of its training images, and the training image that is nearest to each of its Gaussians. */
export function classPictures(run: FinishedRun, gaussians?: Gaussians): Html {
  const { train, labels } = run.digits;
  const means = meanImages(train, labels.length);
  const typical = gaussians && mostTypical(run, gaussians.mixture);
  const several = gaussians !== undefined && gaussians.mixture.nComponent > 1;
  const nearest = several ? 'nearest each Gaussian' : 'most typical';
  const missing =
    labels.length > MOST.classes && ` The first ${MOST.classes} of ${labels.length} classes are shown.`;
  return figure(
    {
      title: 'The classes',
      caption: [
        'Left, the mean of the training images of a class: a blur where they differ. ',
        gaussians &&
          `Right, the training ${several ? 'images' : 'image'} whose features lie nearest to the mean of ${several ? 'each Gaussian' : 'the Gaussian'} ` +
            `that the ${gaussians.origin === 'trained' ? 'head has learned' : 'features were fitted with'}, counted in its standard deviations: what the ` +
            'class looks like to the network.',
        missing,
      ],
      layout: 'tiles classes',
    },
    means.slice(0, MOST.classes).map(({ pixels, count }, label) => {
      const name = labels[label];
      const others = typical?.[label].slice(0, MOST.components) ?? [];
      return html`<div class="tile">
        <div class="pictures" style="--across:${Math.min(3, 1 + others.length)}">
          ${
            count === 0
              ? html`<span class="empty">no image</span>`
              : picture(train.images, pixels, `Mean of the training images of class ${name}`)
          }
          ${others.map(({ set, row }) =>
            picture(set.images, pixelsOf(set.images, row), `Class ${name}: training image ${nearest}`),
          )}
        </div>
        <p><strong>${name}</strong> <span class="soft">${images(count)}</span></p>
      </div>`;
    }),
  );
}

function meanImages(
  { images: rows, labels }: LabelledImages,
  nClass: number,
): { pixels: Float64Array; count: number }[] {
  const size = rows.size / rows.shape[0];
  const means = Array.from({ length: nClass }, () => ({ pixels: new Float64Array(size), count: 0 }));
  for (let n = 0; n < labels.size; n++) {
    const mean = means[labels.data[n]];
    mean.count++;
    for (let i = 0; i < size; i++) mean.pixels[i] += rows.data[n * size + i];
  }
  return means.map(({ pixels, count }) => ({ pixels: pixels.map((sum) => sum / Math.max(1, count)), count }));
}

/** An example: a row of one of the samples. */
interface Example {
  readonly set: LabelledImages;
  readonly row: number;
}

/** Of each class, for each Gaussian, the example of the class that it gives the highest density. */
function mostTypical({ outputs, settings }: FinishedRun, mixture: GMML): Example[][] {
  const { examples, labels, samples } = outputs;
  const { nClass, nComponent } = mixture;
  const densities = overFeatures(examples, settings.testBatchSize, (features) =>
    mixture.componentLogProb(features),
  );
  const best = Array.from({ length: nClass * nComponent }, () => ({ density: -Infinity, row: -1 }));
  for (let n = 0; n < examples.count; n++) {
    const first = labels.data[n] * nComponent;
    for (let k = first; k < first + nComponent; k++) {
      const density = densities[n * nClass * nComponent + k];
      if (density > best[k].density) best[k] = { density, row: n };
    }
  }
  return Array.from({ length: nClass }, (_, label) =>
    best
      .slice(label * nComponent, (label + 1) * nComponent)
      .filter(({ row }) => row >= 0)
      .map(({ row }) => exampleAt(samples, row)),
  );
}

function exampleAt(samples: readonly LabelledImages[], row: number): Example {
  const [first, second] = samples;
  return row < first.labels.size ? { set: first, row } : { set: second, row: row - first.labels.size };
}
