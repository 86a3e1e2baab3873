/**
 * From now on counts the bytes of all typed arrays and array buffers that are made by constructors.
 * @returns {() => number} gives how many there have been
 */
export function measureAllocations() {
  let bytes = 0;
  const names = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'];
  for (const name of [...names, 'BigInt64', 'BigUint64'].map((kind) => `${kind}Array`)) {
    globalThis[name] = counting(globalThis[name], (made, [first]) => {
      // A view of a buffer allocates nothing.
      if (!(first instanceof ArrayBuffer || first instanceof SharedArrayBuffer)) bytes += made.byteLength;
    });
  }
  globalThis.ArrayBuffer = counting(globalThis.ArrayBuffer, (made) => (bytes += made.byteLength));
  return () => bytes;
}

function counting(Constructor, count) {
  return new Proxy(Constructor, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget);
      count(made, args);
      return made;
    },
  });
}
