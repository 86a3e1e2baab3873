import { loadSafetensors, type Safetensors } from '@gmml/nn';
import { ArgumentError, FormatError, Generator, type Tensor } from '@gmml/tensor';
import { quoted } from '../formatting.js';
import { makeNetwork, type NetworkDescription, type NetworkName } from './networks/makeNetwork.js';
import type { ImageShape, Network } from './networks/network.js';

/** A network from its file. */
export interface LoadedNetwork {
  /** In evaluation mode. */
  readonly network: Network;
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
  const bodySizes = BODY_SIZES.get(metadata.network as NetworkName);
  if (bodySizes === undefined) {
    return refuse(
      `the network must be one of ${[...BODY_SIZES.keys()].join(', ')}: it is ${quoted(metadata.network)}`,
    );
  }
  const { labels, ...described } = descriptionOf(metadata, refuse);
  for (const [tensor, shape] of [...bodySizes(described), ...headSizes(described)]) {
    const found = tensors[tensor]?.shape;
    if (found?.length === shape.length && found.every((size, i) => size === shape[i])) continue;
    refuse(
      `${tensor} must be [${shape.join(', ')}], as the metadata say: ${found ? `it is [${found.join(', ')}]` : 'there is none'}`,
    );
  }
  const network = built(described, tensors, refuse);
  return { network: network.eval(), inputShape: described.imageShape, labels, metadata };
}

type Sizes = [tensor: string, shape: readonly number[]][];

/** The tensors of the bodies whose shapes follow from the description, by the metadata `network`. */
const BODY_SIZES: ReadonlyMap<NetworkName, (described: NetworkDescription) => Sizes> = new Map([
  [
    'reference-cnn',
    ({ dim, imageShape: [channels, height, width] }: NetworkDescription): Sizes => [
      ['conv1.weight', [16, channels, 5, 5]],
      ['linear.weight', [dim, 32 * Math.floor(height / 4) * Math.floor(width / 4)]],
    ],
  ],
  [
    'mlp',
    ({ dim, imageShape, hidden = [] }: NetworkDescription): Sizes => {
      const widths = [pixelsOf(imageShape), ...hidden];
      return [
        ...hidden.map((units, i): Sizes[number] => [`hidden.${i}.weight`, [units, widths[i]]]),
        ['linear.weight', [dim, widths[hidden.length]]],
      ];
    },
  ],
  [
    'linear-probe',
    ({ dim, imageShape }: NetworkDescription): Sizes => [['linear.weight', [dim, pixelsOf(imageShape)]]],
  ],
]);

function pixelsOf([channels, height, width]: ImageShape): number {
  return channels * height * width;
}

function headSizes({ dim, nClass, linearClassifier, covType, components }: NetworkDescription): Sizes {
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
): NetworkDescription & { readonly labels: readonly string[] } {
  const oneOf = <Choice extends string>(key: string, ...choices: readonly Choice[]): Choice =>
    choices.find((choice) => choice === metadata[key]) ??
    refuse(`${key} must be one of ${choices.join(', ')}: it is ${quoted(metadata[key])}`);
  const count = (key: string): number => {
    const text = metadata[key] ?? '';
    if (COUNT.test(text)) return Number(text);
    return refuse(`${key} must be an integer from 1 to 99999999: it is ${quoted(metadata[key])}`);
  };
  const counts = (key: string, fallback?: string): number[] => {
    const texts = (metadata[key] ?? fallback ?? '').split(' ');
    if (texts.every((text) => COUNT.test(text))) return texts.map(Number);
    return refuse(`${key} must be integers from 1 to 99999999: they are ${quoted(metadata[key])}`);
  };
  const nClass = count('nClass');
  const labels = (metadata.labels ?? '').split(' ').filter((label) => label !== '');
  if (labels.length !== nClass || new Set(labels).size !== nClass) {
    refuse(`labels must be ${nClass} different words: they are ${quoted(metadata.labels)}`);
  }
  const linearClassifier = oneOf('head', 'gmml', 'linear') === 'linear';
  const imageShape = counts('imageShape', '1 28 28');
  if (imageShape.length !== 3) refuse(`imageShape must be three sizes: it is ${quoted(metadata.imageShape)}`);
  const network = metadata.network as NetworkName;
  return {
    network,
    imageShape: imageShape as unknown as ImageShape,
    ...(network === 'mlp' && { hidden: counts('hidden') }),
    dim: count('dim'),
    nClass,
    labels,
    linearClassifier,
    covType: linearClassifier ? 'tril' : oneOf('covType', 'diag', 'tril', 'full'),
    components: linearClassifier ? 1 : count('components'),
  };
}

/** At most eight digits: products of a few sizes stay exact. */
const COUNT = /^[1-9]\d{0,7}$/;

function built(
  described: NetworkDescription,
  tensors: Readonly<Record<string, Tensor>>,
  refuse: (reason: string) => never,
): Network {
  try {
    const network = makeNetwork(described, new Generator(0));
    network.loadStateDict(tensors);
    return network;
  } catch (error) {
    const { message } = error as Error;
    const [problem] = message.replace(/^loadStateDict: /, '').split(/\. (?:Nothing was|Take )/);
    return refuse(error instanceof ArgumentError ? problem.replace(/\.$/, '') : problem);
  }
}
