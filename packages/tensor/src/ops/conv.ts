import { checkPadding } from '../checks.js';
import { ShapeError } from '../errors.js';
import { kernels } from '../kernels/backend.js';
import type { ConvSizes, WindowSizes } from '../kernels/kernels.js';
import { show, type Shape } from '../shape.js';
import { allocateInts, emptyView } from '../storage.js';
import type { Op } from './op.js';
import { sumTo } from './views.js';

/** [height, width]. */
export type Pair = readonly [number, number];

/** How a kernel moves over an image. */
export interface ConvGeometry {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** How a pooling window moves over an image. */
export interface PoolGeometry {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

/**
 * Cross-correlation of x [N, C, H, W] with weight [O, C, KH, KW] plus an optional bias [O], over zero
 * padding: out[n, o, i, j] = b[o] + Σ w[o, c, k, l] · x[n, c, i·s + k·d − p, j·s + l·d − p].
 * Derivatives: in x the transposed convolution of g with w, in w the correlation of x with g, in b the
 * sum of g. (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, §4.)
 */
export const conv2d: Op<ConvGeometry> = {
  name: 'conv2d',
  saves: 'inputs',
  shape([x, weight, bias], geometry) {
    const { n, o, outH, outW } = convSizes(x.shape, weight.shape, geometry);
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== o)) {
      throw new ShapeError(
        `conv2d: the bias must be [${o}], one per output channel: it is ${show(bias.shape)}.`,
      );
    }
    return [n, o, outH, outW];
  },
  forward([x, weight, bias], out, geometry) {
    const sizes = convSizes(x.shape, weight.shape, geometry);
    kernels().conv2d(x.data, weight.data, bias?.data ?? null, sizes, out.data);
  },
  backward(g, { inputs: [x, weight, bias], needs, attributes }) {
    const sizes = convSizes(x.shape, weight.shape, attributes);
    const dx = needs[0] ? emptyView(x, x.shape) : null;
    const dw = needs[1] ? emptyView(weight, weight.shape) : null;
    if (dx) kernels().conv2dInputGradient(g.data, weight.data, sizes, dx.data);
    if (dw) kernels().conv2dWeightGradient(g.data, x.data, sizes, dw.data);
    if (bias === undefined) return [dx, dw];
    const db = needs[2] ? { data: sumTo(g, [sizes.o, 1, 1]).data, shape: bias.shape } : null;
    return [dx, dw, db];
  },
};

/** The largest of each window. Derivative: all of it to the first element that attains the maximum, as in torch. */
export const maxPool2d: Op<PoolGeometry, Int32Array> = {
  name: 'maxPool2d',
  shape: ([x], geometry) => pooledShape('maxPool2d', x.shape, geometry),
  forward([x], out, geometry) {
    const positions = allocateInts(out.data.length);
    kernels().maxPool2d(x.data, poolSizes('maxPool2d', x.shape, geometry), out.data, positions);
    return positions;
  },
  backward(g, { shapes: [shape], extra: positions, attributes }) {
    const out = emptyView(g, shape);
    const sizes = poolSizes('maxPool2d', shape, attributes);
    kernels().maxPool2dBackward(g.data, positions, sizes, out.data);
    return [out];
  },
};

/** The mean of each window, padding counted as zeros. Derivative: g/area to every element of the window. */
export const avgPool2d: Op<PoolGeometry> = {
  name: 'avgPool2d',
  shape: ([x], geometry) => pooledShape('avgPool2d', x.shape, geometry),
  forward([x], out, geometry) {
    kernels().avgPool2d(x.data, poolSizes('avgPool2d', x.shape, geometry), out.data);
  },
  backward(g, { shapes: [shape], attributes }) {
    const out = emptyView(g, shape);
    kernels().avgPool2dBackward(g.data, poolSizes('avgPool2d', shape, attributes), out.data);
    return [out];
  },
};

function convSizes(x: Shape, weight: Shape, { stride, padding, dilation }: ConvGeometry): ConvSizes {
  if (x.length !== 4 || weight.length !== 4) {
    throw new ShapeError(
      `conv2d: x must be [N, C, H, W] and weight [O, C, KH, KW]: x is ${show(x)}, weight is ${show(weight)}.`,
    );
  }
  if (x[1] !== weight[1]) {
    throw new ShapeError(
      `conv2d: channels differ: x is ${show(x)}, weight is ${show(weight)} (${x[1]} ≠ ${weight[1]}).`,
    );
  }
  const window = windowSizes('conv2d', x, [weight[2], weight[3]], stride, padding, dilation);
  return { ...window, o: weight[0] };
}

function pooledShape(op: string, x: Shape, geometry: PoolGeometry): Shape {
  const { n, c, outH, outW } = poolSizes(op, x, geometry);
  return [n, c, outH, outW];
}

function poolSizes(op: string, x: Shape, { kernelSize, stride, padding }: PoolGeometry): WindowSizes {
  if (x.length !== 4) throw new ShapeError(`${op}: x must be [N, C, H, W]: it is ${show(x)}.`);
  if (x[2] === 0 || x[3] === 0) throw new ShapeError(`${op}: the image must have pixels: x is ${show(x)}.`);
  checkPadding(op, padding, kernelSize);
  return windowSizes(op, x, kernelSize, stride, padding, [1, 1]);
}

function windowSizes(
  op: string,
  [n, c, h, w]: Shape,
  kernel: Pair,
  stride: Pair,
  padding: Pair,
  dilation: Pair,
): WindowSizes {
  const room = [h + 2 * padding[0], w + 2 * padding[1]];
  const reach = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];
  if (kernel.some((size) => size < 1) || reach[0] > room[0] || reach[1] > room[1]) {
    throw new ShapeError(
      `${op}: the kernel must fit into the padded image: it spans ${show(reach)}, the image is ${show(room)} with padding.`,
    );
  }
  return {
    n,
    c,
    h,
    w,
    kernelH: kernel[0],
    kernelW: kernel[1],
    strideH: stride[0],
    strideW: stride[1],
    padH: padding[0],
    padW: padding[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    outH: Math.floor((room[0] - reach[0]) / stride[0]) + 1,
    outW: Math.floor((room[1] - reach[1]) / stride[1]) + 1,
  };
}
