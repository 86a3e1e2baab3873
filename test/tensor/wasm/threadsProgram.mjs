// Computes with threads, changes their number and ends: nothing here ends the workers. Runs the build.
import { backendReport, manualSeed, randn, useBackend } from '../../../packages/tensor/dist/index.js';

manualSeed(1);
await compute('wasm', 2);
await compute('wasm', 3);
await compute('reference', 2);
await compute('wasm', 2);

async function compute(name, threads) {
  await useBackend(name, { threads });
  const w = randn([300, 200], { requiresGrad: true });
  randn([100, 300]).matmul(w).relu().sum().backward();
  const report = backendReport();
  console.log(report.backend, report.threads);
}
