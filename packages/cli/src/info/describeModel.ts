import { EM_FORMAT, GMML_FORMAT, MIXTURE_FORMAT, OPEN_SET_FORMAT } from '@gmml/gmm/statistics';
import { percent } from '../formatting.js';
import { infoIn, TABLE_FORMAT } from '../tables/tableModelFile.js';
import type { TensorSummary } from '../files/safetensorsHeader.js';

/** A name and what there is of it: a number or text, or names of many. */
export type Fact = readonly [name: string, value: string | number | readonly string[]];

/** What the metadata of a safetensors file say it is. */
export interface ModelDescription {
  readonly kind: string;
  readonly facts: readonly Fact[];
}

/** Says what a safetensors file holds, by its metadata and the shapes of its tensors. What it does not know it lists. */
export function describeModel(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly TensorSummary[],
): ModelDescription {
  const found = KINDS.find(({ is }) => is(metadata));
  try {
    if (found) return { kind: found.kind, facts: found.facts(metadata, tensors) };
  } catch {
    // Metadata that are not as they should be are listed as they are.
  }
  return { kind: 'safetensors file', facts: Object.entries(metadata) };
}

interface Kind {
  readonly kind: string;
  readonly is: (metadata: Readonly<Record<string, string>>) => boolean;
  /** Throws for metadata of another form. */
  readonly facts: (metadata: Readonly<Record<string, string>>, tensors: readonly TensorSummary[]) => Fact[];
}

const KINDS: readonly Kind[] = [
  {
    kind: 'classifier of a table (gmml fit)',
    is: ({ format }) => format === TABLE_FORMAT,
    facts: tableFacts,
  },
  {
    kind: 'statistics of classes (gmml stats)',
    is: ({ format, statistics }) => format === OPEN_SET_FORMAT && statistics !== undefined,
    facts: ({ options, labels, statistics, rows, shards }) => [
      ['features', optionsIn(options).features],
      ['covariance', statistics],
      ['rows', Number(rows)],
      ['labels', namesIn(labels)],
      ['shards', shardsIn(shards)],
    ],
  },
  {
    kind: 'open-set classifier',
    is: ({ format }) => format === OPEN_SET_FORMAT,
    facts: ({ options, labels, calibration }) => [
      ['features', optionsIn(options).features],
      ['covariance', optionsIn(options).covariance],
      ['labels', namesIn(labels)],
      ['keeps', keptIn(calibration)],
    ],
  },
  {
    kind: 'Gaussian mixture',
    is: ({ format }) => format === MIXTURE_FORMAT,
    facts: ({ options, labels, rows, iterations, lowerBound, converged }, tensors) => [
      ['components', optionsIn(options).components],
      ['features', featuresOf(tensors)],
      ['covariance', optionsIn(options).covariance],
      ...(labels === undefined ? [] : ([['labels', namesIn(labels)]] satisfies Fact[])),
      ['rows', Number(rows)],
      [
        'EM',
        `${iterations} iterations, ${converged === 'true' ? 'converged' : 'not converged'}, lower bound ${lowerBound}`,
      ],
    ],
  },
  {
    kind: 'statistics of an EM iteration (gmml stats --model)',
    is: ({ format }) => format === EM_FORMAT,
    facts: ({ options, rows, iterations, shards }) => [
      ['components', optionsIn(options).components],
      ['covariance', optionsIn(options).covariance],
      ['iteration', Number(iterations)],
      ['rows', Number(rows)],
      ['shards', shardsIn(shards)],
    ],
  },
  {
    kind: 'mixture layer',
    is: ({ format }) => format === GMML_FORMAT,
    facts: ({ made, labels }) => {
      const { inputDim, d, nClass, options } = JSON.parse(made) as Record<string, number> & {
        options: { nComponent: number; covType: string };
      };
      return [
        ['features', d === inputDim ? d : `${inputDim}, projected to ${d}`],
        ['classes', labels === undefined ? nClass : namesIn(labels)],
        ['components', `${options.nComponent} a class`],
        ['covariance', options.covType],
      ];
    },
  },
  {
    kind: 'network (gmml-train)',
    is: ({ format, network }) => format === 'gmml' && network !== undefined,
    facts: (metadata, tensors) => [
      ...Object.entries(metadata).filter(([name]) => name !== 'format'),
      ['parameters', tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)],
    ],
  },
];

function tableFacts({ table, options, calibration }: Readonly<Record<string, string>>): Fact[] {
  const { features, classes, label, components, quality } = infoIn(table);
  return [
    ['features', features],
    ['classes', classes.map(({ name, rows }) => `${name} (${rows} rows)`)],
    ['label', label ?? 'in a file of its own'],
    ['covariance', optionsIn(options).covariance],
    ['components', `${components} a class`],
    ['keeps', keptIn(calibration)],
    ...(quality === null
      ? []
      : ([
          [
            'held-out rows',
            [
              `accuracy ${percent(quality.accuracy, 2)}`,
              `NLL ${quality.nll.toFixed(4)}`,
              `calibration error ${percent(quality.ece, 2)}`,
              ...(quality.coverage === null ? [] : [`coverage ${percent(quality.coverage, 1)}`]),
            ].join(', '),
          ],
        ] satisfies Fact[])),
  ];
}

function optionsIn(text: string): { features: number; components: number; covariance: string } {
  return JSON.parse(text) as { features: number; components: number; covariance: string };
}

function namesIn(text: string): string[] {
  return (JSON.parse(text) as unknown[]).map(String);
}

function shardsIn(text: string): string[] {
  return (JSON.parse(text) as { name: string; from: number; to: number }[]).map(
    ({ name, from, to }) => `${name} (rows ${from} to ${to - 1})`,
  );
}

function keptIn(text: string): string {
  const { keep } = JSON.parse(text) as { keep: number | null };
  return keep === null ? 'not calibrated' : `${percent(keep)} of known rows`;
}

function featuresOf(tensors: readonly TensorSummary[]): number {
  return tensors.find(({ name }) => name === 'means')!.shape[1];
}
