import { inspect } from 'node:util';
import { tensor } from '@gmml/tensor';
import { expect, test } from 'vitest';

test("Node's console shows a tensor as a string of it does", () => {
  const x = tensor([[1, -2.5]], { dtype: 'float64', requiresGrad: true });
  expect(inspect(x)).toBe(String(x));
});
