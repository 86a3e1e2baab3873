import type { CovType, GMML } from '@gmml/gmm';
import { loadSafetensors, type Linear, type Module, type Safetensors } from '@gmml/nn';
import type { Layered } from '@gmml/onnx';
import { FormatError, Generator, type Tensor } from '@gmml/tensor';
import { ReferenceNetwork } from './network.js';

/** A network that was trained: layers one after the other, of which the last is the head. `features` gives what that gets. */
export type TrainedNetwork = Module & Layered & { readonly head: GMML | Linear; features(x: Tensor): Tensor };

/** A network from its file. */
export interface LoadedNetwork {
  /** In evaluation mode. */
  readonly network: TrainedNetwork;
  /** The shape of one input, without the batch. */
  readonly inputShape: readonly number[];
  /** What each output of the head stands for. */
  readonly labels: readonly string[];
  /** All of the file's. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The trained network in a file of `gmml-train --save-model`. What the file says of sizes is compared with its tensors before
 * anything of that size is made.
 * @throws ArgumentError when the file cannot be read; FormatError for whatever does not fit
 */
export function loadNetwork(path: string): LoadedNetwork {
  return networkFrom(loadSafetensors(path), path);
}

/** Whether metadata are those of a network's file. */
export function isNetwork({ network }: Readonly<Record<string, string>>): boolean {
  return network !== undefined;
}

/** The network in tensors and metadata that have been read. @param name what messages call them. @throws FormatError as `loadNetwork` */
export function networkFrom({ tensors, metadata }: Safetensors, name: string): LoadedNetwork {
  const refuse = (reason: string): never => {
    throw new FormatError(`${name}: ${reason}. Give a file of gmml-train --save-model.`);
  };
  const kind = NETWORKS.get(metadata.network);
  if (kind === undefined) {
    return refuse(
      `the network must be one of ${[...NETWORKS.keys()].join(', ')}: it is ${shown(metadata.network)}`,
    );
  }
  const described = descriptionOf(metadata, refuse);
  for (const [tensor, shape] of [...kind.sizes(described), ...headSizes(described)]) {
    const found = tensors[tensor]?.shape;
    if (found?.length === shape.length && found.every((size, i) => size === shape[i])) continue;
    refuse(
      `${tensor} must be [${shape.join(', ')}], as the metadata say: ${found ? `it is [${found.join(', ')}]` : 'there is none'}`,
    );
  }
  const network = kind.build(described);
  load(network, tensors, refuse);
  return { network: network.eval(), inputShape: kind.inputShape, labels: described.labels, metadata };
}

/** What metadata say of a network. */
interface Description {
  readonly dim: number;
  readonly nClass: number;
  readonly labels: readonly string[];
  readonly linearClassifier: boolean;
  readonly covType: CovType;
  readonly components: number;
}

/** A network that has a file. */
interface NetworkKind {
  readonly inputShape: readonly number[];
  /** The tensors of the body whose shapes follow from the description. */
  sizes(described: Description): Sizes;
  build(described: Description): TrainedNetwork;
}

type Sizes = [tensor: string, shape: readonly number[]][];

/** By the metadata `network`. */
const NETWORKS: ReadonlyMap<string | undefined, NetworkKind> = new Map([
  [
    'reference-cnn',
    {
      inputShape: [1, 28, 28],
      sizes: ({ dim }) => [['linear.weight', [dim, 32 * 7 * 7]]],
      build: (described) => new ReferenceNetwork({ ...described, generator: new Generator(0) }),
    },
  ],
]);

function headSizes({ dim, nClass, linearClassifier, covType, components }: Description): Sizes {
  if (linearClassifier) return [['head.weight', [nClass, dim]]];
  const means = [nClass, components, dim];
  return [
    ['head.mean', means],
    ['head.sigma', covType === 'diag' ? means : [...means, dim]],
  ];
}

function descriptionOf(
  metadata: Readonly<Record<string, string>>,
  refuse: (reason: string) => never,
): Description {
  const oneOf = <Choice extends string>(key: string, ...choices: readonly Choice[]): Choice =>
    choices.find((choice) => choice === metadata[key]) ??
    refuse(`${key} must be one of ${choices.join(', ')}: it is ${shown(metadata[key])}`);
  const count = (key: string): number => {
    const text = metadata[key] ?? '';
    // At most eight digits: products of sizes stay exact.
    if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
    return refuse(`${key} must be an integer from 1 to 99999999: it is ${shown(metadata[key])}`);
  };
  const nClass = count('nClass');
  const labels = (metadata.labels ?? '').split(' ').filter((label) => label !== '');
  if (labels.length !== nClass || new Set(labels).size !== nClass) {
    refuse(`labels must be ${nClass} different words: they are ${shown(metadata.labels)}`);
  }
  const linearClassifier = oneOf('head', 'gmml', 'linear') === 'linear';
  return {
    dim: count('dim'),
    nClass,
    labels,
    linearClassifier,
    covType: linearClassifier ? 'tril' : oneOf('covType', 'diag', 'tril', 'full'),
    components: linearClassifier ? 1 : count('components'),
  };
}

function load(
  network: Module,
  tensors: Readonly<Record<string, Tensor>>,
  refuse: (reason: string) => never,
): void {
  try {
    network.loadStateDict(tensors);
  } catch (error) {
    const [problem] = (error as Error).message.replace(/^loadStateDict: /, '').split('. Nothing was');
    refuse(problem);
  }
}

/** Text of a file, for a message. */
function shown(text: string | undefined): string {
  if (text === undefined) return 'missing';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
