import { afterAll, beforeAll } from 'vitest';
import { Engine, type EngineOptions } from '../../../packages/tensor/src/kernels/wasm/engine.js';

/**
 * An engine for the tests of the file or the `describe` that asks for it, whose threads run before the first test.
 * @param options.threads default: the environment variable GMML_THREADS, or 1
 */
export function startedEngine(options: EngineOptions): Engine {
  const engine = new Engine({ threads: Number(process.env['GMML_THREADS'] ?? 1), ...options });
  beforeAll(() => engine.start());
  afterAll(() => engine.end());
  return engine;
}
