// A worker that awaits its backend before it serves.
import { violationsUntilNow } from './violations.js';
import { backendReport, useBackend } from '@gmml/tensor';
import { serveTasks } from '@gmml/tensor/worker';
import { mixtureOf } from './mixtureTask.js';

await useBackend('auto', { threads: 2 });
let ended = 0;

serveTasks({
  /** Means and what computed them; each iteration is told. */
  async fit({ x, iterations }, { progress, pause }) {
    try {
      const { mixture, turns } = mixtureOf(x, iterations);
      for (const { iteration, lowerBound } of turns) {
        progress({ iteration, lowerBound, weights: mixture.weights });
        // oxlint-disable-next-line no-await-in-loop -- one iteration after the other
        await pause();
      }
      return { means: mixture.means, backend: backendReport() };
    } finally {
      ended++;
    }
  },
  ended: () => ended,
  violations: violationsUntilNow,
});
