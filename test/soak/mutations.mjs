// Damaged and hostile copies of a file, all drawn from a seeded generator.

/** Bytes that readers trip over: ends of ranges, signs, what JSON, CSV and numbers are made of. */
const TELLING = Uint8Array.from([0, 1, 0x7f, 0x80, 0xff, ...Buffer.from('09-.,"{}[]:\n\re')]);

/** Sizes that are too large for a file, for a typed array, or to be exact. */
const HUGE = [0x7fffffffn, 0xffffffffn, 0x100000000n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];

const mutations = [
  /** One bit. */
  (bytes, draw) => {
    bytes[draw(bytes.length)] ^= 1 << draw(8);
    return bytes;
  },
  /** One byte. */
  (bytes, draw) => {
    bytes[draw(bytes.length)] = TELLING[draw(TELLING.length)];
    return bytes;
  },
  /** Another digit for a digit: what is said of sizes and places stays well-formed, and becomes wrong. */
  (bytes, draw) => {
    const digits = [...bytes.keys()].filter((at) => bytes[at] >= 0x30 && bytes[at] <= 0x39);
    for (let times = draw(3); digits.length > 0 && times >= 0; times--) {
      bytes[digits[draw(digits.length)]] = 0x30 + draw(10);
    }
    return bytes;
  },
  /** More digits. */
  (bytes, draw) => {
    const digits = [...bytes.keys()].filter((at) => bytes[at] >= 0x30 && bytes[at] <= 0x39);
    const at = digits.length > 0 ? digits[draw(digits.length)] : draw(bytes.length);
    return joined(bytes.subarray(0, at), Buffer.from('9'.repeat(1 + draw(18))), bytes.subarray(at));
  },
  /** The end is missing. */
  (bytes, draw) => bytes.subarray(0, draw(bytes.length)),
  /** Something is missing in the middle. */
  (bytes, draw) => {
    const at = draw(bytes.length);
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + draw(16)));
  },
  /** Something is there twice. */
  (bytes, draw) => {
    const at = draw(bytes.length);
    const part = bytes.subarray(at, at + 1 + draw(64));
    return joined(bytes.subarray(0, at), part, bytes.subarray(at));
  },
  /** A huge integer of 8 bytes, of either byte order. */
  (bytes, draw) => {
    if (bytes.length < 8) return bytes;
    // Sizes stand at the beginning.
    const at = draw(2) === 0 ? draw(Math.min(24, bytes.length - 7)) : draw(bytes.length - 7);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setBigUint64(at, HUGE[draw(HUGE.length)], draw(2) === 0);
    return bytes;
  },
  /** The end of another file. */
  (bytes, draw, other) => joined(bytes.subarray(0, draw(bytes.length)), other.subarray(draw(other.length))),
  /** Noise. */
  (bytes, draw) => {
    const at = draw(bytes.length);
    for (let i = at; i < Math.min(bytes.length, at + 32); i++) bytes[i] = draw(256);
    return bytes;
  },
];

/**
 * A copy of `bytes` with one mutation, or with up to four.
 *
 * @param {Uint8Array} bytes
 * @param {Uint8Array} other another file, of which a part may come in
 * @param {import('@gmml/tensor').Generator} generator
 * @returns {Uint8Array}
 */
export function mutated(bytes, other, generator) {
  const draw = (below) => generator.integer(below);
  let result = Uint8Array.from(bytes);
  for (let times = draw(2) === 0 ? 1 : 1 + draw(4); times > 0 && result.length > 0; times--) {
    result = Uint8Array.from(mutations[draw(mutations.length)](result, draw, other));
  }
  return result;
}

function joined(...parts) {
  return Buffer.concat(parts);
}
