// Fits a mixture on two workers, and shows its means.
import { violationsUntilNow } from './violations.js';
import { fit } from '@gmml/gmm/statistics';
import { Generator } from '@gmml/tensor';
import { samples } from './mixtureTask.js';

const options = { workers: 2, components: 3, generator: new Generator(5) };
const mixture = await fit(samples(600), options);
const fitted = mixture.means.toArray();
const output = document.createElement('output');
output.textContent = JSON.stringify({ crossOriginIsolated, fitted, violations: await violationsUntilNow() });
document.body.append(output);
