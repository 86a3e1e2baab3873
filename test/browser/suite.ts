// Which tests run in Chromium as well as in Node.

/** The table of ops, gradients, layers, losses, optimizers and mixtures. */
export const IN_CHROMIUM = ['test/{tensor,nn,gmm}/**/*.test.ts'];

/** Those of them that do not, each with its reason. */
export const NOT_IN_CHROMIUM: Readonly<Record<string, string>> = {
  'test/gmm/fitHead.test.ts': 'takes @gmml/data, which reads files',
  'test/gmm/fitThreads.test.ts': 'starts processes',
  'test/nn/safetensorsFile.test.ts': 'reads and writes files',
  'test/nn/wholeFile.test.ts': 'writes files',
  'test/tensor/backendThreads.test.ts':
    "is about Node's threads; test/browser/training.test.ts is about a page's",
  'test/tensor/garbage.test.ts': "sets V8's flags",
  'test/tensor/inspect.test.ts': "is about Node's console",
  'test/tensor/trainingMemory.test.ts': 'starts processes',
  'test/tensor/worker.test.ts': "is about Node's threads; test/browser/taskWorker.test.ts is about a page's",
  'test/tensor/wasm/**':
    'holds each kernel to its bound for a minute, in the engine that Node has too; the other tests call the kernels',
};
