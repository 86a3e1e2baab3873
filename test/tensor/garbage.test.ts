// What can be collected, and when. Node's flags let a test collect garbage.
import { Tensor, tensor } from '@gmml/tensor';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

test('backward releases what was saved, while the result is still held', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const x = tensor([1, 2], { dtype: 'float64', requiresGrad: true });
  const held = ((): { y: Tensor; saved: WeakRef<Tensor> } => {
    const h = x.exp();
    return { y: h.mul(h).sum(), saved: new WeakRef(h) };
  })();
  // A WeakRef holds its target until the task that made it ends.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(held.saved.deref()).toBeInstanceOf(Tensor);
  held.y.backward();
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(held.saved.deref()).toBeUndefined();
  expect(held.y.item()).toBeCloseTo(Math.exp(2) + Math.exp(4), 12);
});
