import { afterAll, beforeAll, inject } from 'vitest';
import { Engine, type EngineOptions } from '../../../packages/tensor/src/kernels/wasm/engine.js';

/**
 * An engine for the tests of the file or the `describe` that asks for it, whose threads run before the first test.
 * @param options.threads default: what vitest.config.ts says, the environment variable GMML_THREADS or 1
 */
export function startedEngine(options: EngineOptions): Engine {
  const engine = new Engine({ threads: inject('threads'), ...options });
  beforeAll(() => engine.start());
  afterAll(() => engine.end());
  return engine;
}
