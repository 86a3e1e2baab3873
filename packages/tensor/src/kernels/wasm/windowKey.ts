import type { ConvSizes, WindowSizes } from '../kernels.js';

/** A module's key: its name, and the sizes of the window that its code is written for. Those of `convKey` are more. */
export function windowKey(name: string, sizes: WindowSizes): string {
  const { h, w, kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW, outH, outW } = sizes;
  const window = [kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW];
  return [name, h, w, ...window, outH, outW].join(' ');
}

/** The key of a module whose code is written for the channels too. */
export function convKey(name: string, sizes: ConvSizes): string {
  return windowKey(`${name} ${sizes.c} ${sizes.o}`, sizes);
}
