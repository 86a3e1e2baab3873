import { ArgumentError } from '../../errors.js';
import { ModuleBuilder, type Flavour } from './assembler/assembler.js';
import { webAssembly } from './webAssembly.js';

/**
 * The best flavour that validates here: found by trying, not by version.
 * @param options.relaxed whether relaxed SIMD may be used where there is some, whose results depend on the machine
 * @throws ArgumentError without SIMD
 */
export function bestFlavour({ relaxed = true }: { relaxed?: boolean } = {}): Flavour {
  const flavours = (relaxed ? [true, false] : [false]).map((fused) => ({ relaxed: fused, shared: false }));
  const found = flavours.find(validates);
  if (found === undefined) throw new ArgumentError('WebAssembly has no SIMD.');
  return found;
}

/** Whether modules of this flavour can be compiled here. */
export function validates(flavour: Flavour): boolean {
  return webAssembly().validate(sample(flavour));
}

/** A function that uses what the flavour promises. */
function sample(flavour: Flavour): Uint8Array<ArrayBuffer> {
  return new ModuleBuilder(flavour)
    .func('probe', [], null, (f) => {
      const [sum, a, b] = f.localArray('v128', 3);
      f.multiplyAdd(sum, a, b);
    })
    .bytes();
}
