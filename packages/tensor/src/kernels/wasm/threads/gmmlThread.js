// A thread of the pool in threads.ts: waits for the calls of a part, runs them, says so, and waits again. Plain
// JavaScript without imports, so that Node and a page start it as it lies here, from the sources and from dist.

/**
 * The part of the platform that is used: in Node messages come through a port, in a page to the worker itself.
 * @typedef {object} Port
 * @property {(type: 'message', listener: (event: { data: Start }) => void, options: { once: true }) => void} addEventListener
 * @property {(message: string) => void} postMessage
 *
 * @typedef {object} Platform
 * @property {{ getBuiltinModule?: (id: string) => { parentPort: Port | null } }} [process]
 * @property {import('../webAssembly.js').WebAssemblyApi} WebAssembly
 * @property {{ now(): number }} performance
 *
 * @typedef {import('./workerMailbox.js').WorkerStart} Start
 */

const platform = /** @type {Platform & Port} */ (/** @type {unknown} */ (globalThis));
const port = platform.process?.getBuiltinModule?.('node:worker_threads').parentPort ?? platform;

/** Loads of the state between two looks at the clock. */
const LOADS = 50;

port.addEventListener(
  'message',
  ({ data }) => {
    port.postMessage('ready');
    serve(data);
  },
  { once: true },
);

/**
 * Never returns: the thread that started this one ends it.
 * @param {Start} start
 */
function serve({ memory, buffer, layout, spinMilliseconds }) {
  const words = new Int32Array(buffer, 0, layout.words);
  const text = new Uint16Array(buffer, 4 * layout.words, layout.textLength);
  const commands = new Float64Array(buffer, layout.commandsAt);
  const { state, used, failed, messageLength } = layout;
  const { idle, sleeping, ready, taken, awaited } = layout.states;
  /** @type {import('../webAssembly.js').Emitted[]} */
  const functions = [];
  for (;;) {
    waitForPart();
    // The part may have been taken back meanwhile.
    if (Atomics.compareExchange(words, state, ready, taken) !== ready) continue;
    try {
      runPart();
    } catch (error) {
      const message = String(error).slice(0, text.length);
      for (let i = 0; i < message.length; i++) text[i] = message.charCodeAt(i);
      words[messageLength] = message.length;
      words[failed] = 1;
    }
    if (Atomics.exchange(words, state, idle) === awaited) Atomics.notify(words, state);
  }

  function waitForPart() {
    const { performance } = platform;
    const end = performance.now() + spinMilliseconds;
    do {
      for (let i = 0; i < LOADS; i++) if (Atomics.load(words, state) === ready) return;
    } while (performance.now() < end);
    Atomics.compareExchange(words, state, idle, sleeping);
    Atomics.wait(words, state, sleeping);
  }

  function runPart() {
    for (let at = 0; at < words[used];) {
      const [number, count] = [commands[at], commands[at + 1]];
      at += 2;
      if (number === layout.define) {
        define(commands[at], at + 1, count);
        at += 1 + Math.ceil(count / 8);
      } else {
        const args = [];
        for (let i = 0; i < count; i++) args.push(commands[at + i]);
        functions[number](...args);
        at += count;
      }
    }
  }

  /**
   * Compiles a module; its functions get the numbers from `first` on.
   * @param {number} first
   * @param {number} at where its bytes begin
   * @param {number} byteLength
   */
  function define(first, at, byteLength) {
    if (functions[first]) return;
    // A copy, because modules are not compiled from shared memory.
    const bytes = new Uint8Array(byteLength);
    bytes.set(new Uint8Array(buffer, commands.byteOffset + 8 * at, byteLength));
    const { WebAssembly } = platform;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    for (const [i, fn] of Object.values(exports).entries()) functions[first + i] = fn;
  }
}
