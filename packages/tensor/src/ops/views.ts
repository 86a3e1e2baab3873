import { kernels } from '../kernels/backend.js';
import { broadcastStrides, sameShape, type Shape } from '../shape.js';
import { emptyView, zerosView, type View } from '../storage.js';

/** x repeated along the dimensions in which `shape` is larger. */
export function expandTo(x: View, shape: Shape): View {
  if (sameShape(x.shape, shape)) return x;
  const out = emptyView(x, shape);
  kernels().readStrided(x.data, { shape, strides: broadcastStrides(x.shape, shape), offset: 0 }, out.data);
  return out;
}

/** The adjoint of expandTo: x summed over the dimensions along which `shape` was repeated. */
export function sumTo(x: View, shape: Shape): View {
  if (sameShape(x.shape, shape)) return x;
  const out = zerosView(x, shape);
  const walk = { shape: x.shape, strides: broadcastStrides(shape, x.shape), offset: 0 };
  kernels().addStrided(x.data, walk, out.data);
  return out;
}
