import { ArgumentError } from '../../errors.js';

/** A function of a compiled module. */
export type Emitted = (...args: number[]) => number | void;

/** Memory that a module works in. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** The part of the platform's `WebAssembly` that is used: neither Node's types nor the DOM's are assumed. */
export interface WebAssemblyApi {
  Memory: new (limits: { initial: number; maximum: number; shared?: boolean }) => WasmMemory;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory } },
  ) => { readonly exports: Record<string, Emitted> };
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

/** @throws ArgumentError where there is none, as on old engines and under some policies */
export function webAssembly(): WebAssemblyApi {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi };
  if (api === undefined) throw new ArgumentError('there is no WebAssembly.');
  return api;
}
