// What is measured: the rows of the table, and the groups that --only takes.

/** Contenders report milliseconds (memory: MiB); `convert` makes of them what the table shows. */
const same = (value) => value;
const gigaflops = (n) => (milliseconds) => (2 * n ** 3) / milliseconds / 1e6;

/**
 * @typedef {object} Measurement
 * @property {string} name as contenders report it
 * @property {string} group what --only calls it
 * @property {string} label
 * @property {string} unit
 * @property {(value: number) => number} convert
 */

/** @type {readonly Measurement[]} */
export const MEASUREMENTS = [
  { name: 'step', group: 'step', label: 'full step, batch 64', unit: 'ms', convert: same },
  { name: 'inference1', group: 'inference', label: 'inference, batch 1', unit: 'ms', convert: same },
  { name: 'inference64', group: 'inference', label: 'inference, batch 64', unit: 'ms', convert: same },
  ...[256, 512, 1024].map((n) => ({
    name: `matmul${n}`,
    group: 'matmul',
    label: `matmul ${n}`,
    unit: 'GFLOP/s',
    convert: gigaflops(n),
  })),
  ...['conv1', 'conv2'].flatMap((layer) => [
    { name: `${layer}Forward`, group: 'conv', label: `${layer} forward`, unit: 'ms', convert: same },
    { name: `${layer}InputGradient`, group: 'conv', label: `${layer} dX`, unit: 'ms', convert: same },
    { name: `${layer}WeightGradient`, group: 'conv', label: `${layer} dW`, unit: 'ms', convert: same },
  ]),
  ...[64, 1024].map((columns) => ({
    name: `solve${columns}`,
    group: 'solve',
    label: `triangular solve, 10 × 128², ${columns} columns`,
    unit: 'ms',
    convert: same,
  })),
  { name: 'cholesky', group: 'cholesky', label: 'Cholesky, 10 × 128²', unit: 'ms', convert: same },
  {
    name: 'fit',
    group: 'fit',
    label: 'GMML.fit, 10 classes, 8,000 × 128, full covariance',
    unit: 'ms',
    convert: same,
  },
  {
    name: 'fitAuto',
    group: 'fit',
    label: 'the same with shrinkage chosen',
    unit: 'ms',
    convert: same,
  },
  {
    name: 'mixture',
    group: 'fit',
    label: 'GaussianMixture, 10 full components, 8,000 × 128, 5 iterations',
    unit: 'ms',
    convert: same,
  },
  { name: 'firstStep', group: 'start', label: 'start to first step', unit: 's', convert: (ms) => ms / 1e3 },
  { name: 'memory', group: 'memory', label: 'peak memory in training', unit: 'MiB', convert: same },
];

/** The groups, in the order of the table. */
export const GROUPS = [...new Set(MEASUREMENTS.map(({ group }) => group))];

/** What a process of its own measures, from its start on. */
export const START = new Set(['firstStep', 'memory']);

/** Fits of normal distributions. */
export const FITS = new Set(['fit', 'fitAuto', 'mixture']);

/** What depends on the network; all else is kernels, the same for every head. */
export const NETWORK = new Set(['step', 'inference1', 'inference64', ...START]);
