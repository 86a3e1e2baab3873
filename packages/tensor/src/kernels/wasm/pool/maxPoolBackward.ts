import type { WindowSizes } from '../../kernels.js';
import { fits, isFloat32 } from '../arrays.js';
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { emitFill, isPoolable, paddingRoom, poolPlanes } from './poolPlanes.js';
import type { Kernel } from '../kernel.js';

/** Windows whose gradients are written in a turn of the loop. */
const TOGETHER = 4;

/**
 * The gradient of each window to where its maximum was met, 0 elsewhere: the reference's bits. A plane is cleared and
 * then written to, while it is in the cache. False, and nothing written, for float64, and where windows overlap, so that
 * gradients meet.
 */
export const maxPool2dBackward: Kernel<'maxPool2dBackward'> = (engine, g, positions, sizes, out) => {
  const { h, w, kernelH, kernelW, strideH, strideW, outH, outW } = sizes;
  if (!isFloat32(g) || !isFloat32(out) || !isPoolable(sizes)) return false;
  if (strideH < kernelH || strideW < kernelW) return false;
  if (!fits(engine, [g, positions, out], paddingRoom(engine, sizes))) return false;
  const key = `maxPool2dBackward ${[h, w, outH, outW].join(' ')}`;
  const { scatter } = engine.module(key, (module) => emitScatter(module, sizes));
  engine.scratch((allocate) => {
    const windows = [engine.input(g, allocate), engine.input(positions, allocate)];
    const target = engine.output(out, allocate);
    poolPlanes(engine, scatter, sizes, target.address, windows, allocate);
    target.copyBack();
  });
  return true;
};

/**
 * scatter(image, g, positions, planes, –, start), as `poolPlanes` calls it: for each plane: zeros, then for each window
 * its gradient at its position, which counts from `start` numbers before the image.
 */
function emitScatter(module: ModuleBuilder, { h, w, outH, outW }: WindowSizes): void {
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('scatter', parameters, null, (f, image, g, positions, planes, _, start) => {
    const [plane, turn, origin] = f.localArray('i32', 3);
    const zero = f.local('v128');
    f.get(image).get(start).i32(2).op('i32.shl').op('i32.sub').set(origin);
    const windows = outH * outW;
    f.times(plane, planes, () => {
      emitFill(f, image, h * w, zero);
      f.times(turn, Math.floor(windows / TOGETHER), () => scatterSome(f, TOGETHER, origin, g, positions));
      scatterSome(f, windows % TOGETHER, origin, g, positions);
      f.increase(image, 4 * h * w);
    });
  });
}

function scatterSome(f: FunctionBuilder, count: number, origin: Local, g: Local, positions: Local): void {
  for (let i = 0; i < count; i++) {
    f.load('i32.load', positions, 4 * i)
      .i32(2)
      .op('i32.shl')
      .get(origin)
      .op('i32.add');
    // Added to the zero that is there: −0 becomes 0.
    f.load('f32.load', g, 4 * i)
      .f32(0)
      .op('f32.add')
      .store('f32.store');
  }
  f.increase(g, 4 * count).increase(positions, 4 * count);
}
