import { ArgumentError } from '../../errors.js';
import { ModuleBuilder, type Flavour } from './assembler.js';
import { webAssembly } from './webAssembly.js';

/** The best flavour that validates here: found by trying, not by version. @throws ArgumentError without SIMD */
export function bestFlavour(): Flavour {
  const flavours = [true, false].map((relaxed) => ({ relaxed, shared: false }));
  const found = flavours.find((flavour) => webAssembly().validate(sample(flavour)));
  if (found === undefined) throw new ArgumentError('WebAssembly has no SIMD.');
  return found;
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
