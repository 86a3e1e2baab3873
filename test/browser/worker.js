// Trains as the page asks, and answers with what came of it.
import { violationsUntilNow } from './violations.js';
import { trainOnEach } from './training.js';

addEventListener('message', async ({ data: runs }) => {
  postMessage('training');
  const trained = await trainOnEach(runs);
  postMessage({ trained, violations: await violationsUntilNow() });
});
