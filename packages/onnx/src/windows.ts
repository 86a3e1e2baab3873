import type { Value } from './graph.js';
import type { Place } from './place.js';

type Pair = readonly [number, number];

/** How a window moves over an image. */
interface Windows {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** The rows and columns of windows in images x [N, C, H, W]. @throws ShapeError when the kernel does not fit into them */
export function windowSizes(
  at: Place,
  x: Value,
  { kernelSize, stride, padding, dilation }: Windows,
): number[] {
  const image = x.shape.slice(1);
  const rooms = image.map((size, i) => size + 2 * padding[i]);
  const spans = kernelSize.map((size, i) => dilation[i] * (size - 1) + 1);
  const fits = spans.every((span, i) => span <= rooms[i]);
  at.checkShape(x, fits, `images of at least [${spans.join(', ')}] with padding [${padding.join(', ')}]`);
  return rooms.map((room, i) => Math.floor((room - spans[i]) / stride[i]) + 1);
}
