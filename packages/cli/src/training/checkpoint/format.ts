// The bytes of a checkpoint: a safetensors file whose metadata hold all that is no tensor, and a digest of the whole.
import { createHash } from 'node:crypto';
import type { OptimizerState, SchedulerState } from '@gmml/nn';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { FormatError, type GeneratorState, type Tensor } from '@gmml/tensor';
import { progressFrom, type TrainingProgress } from './progress.js';

/** Everything that a training run needs to go on where it was. */
export interface Checkpoint {
  /** The options that shape the run, by their names in `TrainOptions`. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** Of the images and labels that the run trains on and is tested on, in hexadecimal. */
  readonly dataDigest: string;
  /** What computed. */
  readonly backend: { readonly backend: string; readonly threads: number };
  /** The network's state dict. */
  readonly model: Readonly<Record<string, Tensor>>;
  readonly optimizer: OptimizerState;
  readonly scheduler: SchedulerState;
  readonly generator: GeneratorState;
  /** Of the generator that moves training images, where they are moved. */
  readonly augmentation?: GeneratorState;
  /** Where training may end early: the epoch with the lowest validation loss, from 1, and the weights after it. */
  readonly lowest?: { readonly epoch: number; readonly weights: Readonly<Record<string, Tensor>> };
  readonly progress: TrainingProgress;
}

/** The value of an option. */
export type Setting = string | number | boolean | readonly string[];

const FORMAT = 'gmml checkpoint 1';
/** Where the digest stands: serializeSafetensors writes metadata first, in the order in which they are given. */
const BEFORE_DIGEST = Buffer.from('{"__metadata__":{"sha256":"');
const DIGEST_START = 8 + BEFORE_DIGEST.length;
const DIGEST_LENGTH = 64;
const BLANK = '0'.repeat(DIGEST_LENGTH);

/**
 * The bytes of a checkpoint's file: safetensors with the network as `model.*`, that of the lowest validation loss as `lowest.*`,
 * the optimizer's buffers as `optimizer.<buffer>.<parameter>`, everything else as JSON in the metadata `state`, and in the metadata `sha256` the
 * digest of the whole file with the digits of the digest as zeros.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { model, optimizer, lowest, ...rest } = checkpoint;
  const { buffers, ...optimizerRest } = optimizer;
  const tensors: [string, Tensor][] = Object.entries(model).map(([name, value]) => [`model.${name}`, value]);
  for (const [name, perParameter] of Object.entries(buffers)) {
    for (const [i, buffer] of perParameter.entries()) {
      if (buffer !== null) tensors.push([`optimizer.${name}.${i}`, buffer]);
    }
  }
  for (const [name, value] of Object.entries(lowest?.weights ?? {})) tensors.push([`lowest.${name}`, value]);
  const state = {
    ...rest,
    lowest: lowest?.epoch,
    optimizer: { ...optimizerRest, buffers: Object.keys(buffers) },
  };
  const bytes = serializeSafetensors(Object.fromEntries(tensors), {
    sha256: BLANK,
    format: FORMAT,
    state: JSON.stringify(state),
  });
  Buffer.from(bytes.buffer).write(digestOf(bytes), DIGEST_START, 'latin1');
  return bytes;
}

/**
 * The checkpoint in the bytes of a file, which may come from anybody: the digest is checked first, then the sizes in the
 * header, and only then is anything allocated.
 *
 * @throws FormatError, its message starting with `op`, when a bit is other than it was written, the file is cut off, or
 *   no checkpoint
 */
export function decodeCheckpoint(op: string, bytes: Uint8Array): Checkpoint {
  checkDigest(op, bytes);
  const { tensors, metadata } = parseSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    throw new FormatError(`${op}: the format must be '${FORMAT}': it is ${JSON.stringify(metadata.format)}.`);
  }
  const state = recordIn(op, 'state', parseJson(op, metadata.state));
  const optimizer = recordIn(op, 'optimizer', state.optimizer);
  return {
    settings: settingsIn(op, state.settings),
    dataDigest: String(state.dataDigest),
    backend: backendIn(op, state.backend),
    model: withoutPrefix(tensors, 'model.'),
    optimizer: optimizerIn(op, optimizer, withoutPrefix(tensors, 'optimizer.')),
    scheduler: recordIn(op, 'scheduler', state.scheduler) as unknown as SchedulerState,
    generator: recordIn(op, 'generator', state.generator) as unknown as GeneratorState,
    ...(state.augmentation !== undefined && {
      augmentation: recordIn(op, 'augmentation', state.augmentation) as unknown as GeneratorState,
    }),
    ...(state.lowest !== undefined && {
      lowest: { epoch: Number(state.lowest), weights: withoutPrefix(tensors, 'lowest.') },
    }),
    progress: progressFrom(op, state.progress),
  };
}

function checkDigest(op: string, bytes: Uint8Array): void {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, DIGEST_START + 64));
  if (!start.subarray(8, DIGEST_START).equals(BEFORE_DIGEST)) {
    throw new FormatError(`${op}: the file must start as a checkpoint does: it does not.`);
  }
  const stated = start.toString('latin1', DIGEST_START);
  if (stated !== digestOf(bytes)) {
    throw new FormatError(`${op}: its SHA-256 must be the one that it states: it is cut off or was changed.`);
  }
}

/** SHA-256 of the bytes, zeros in the place of the digest itself. */
function digestOf(bytes: Uint8Array): string {
  return createHash('sha256')
    .update(bytes.subarray(0, DIGEST_START))
    .update(BLANK)
    .update(bytes.subarray(DIGEST_START + DIGEST_LENGTH))
    .digest('hex');
}

function parseJson(op: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new FormatError(`${op}: the metadata 'state' must be JSON: it is not.`);
  }
}

function recordIn(op: string, name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new FormatError(`${op}: '${name}' must be an object: it is ${JSON.stringify(value)}.`);
}

function settingsIn(op: string, value: unknown): Checkpoint['settings'] {
  const settings = Object.entries(recordIn(op, 'settings', value));
  for (const [name, setting] of settings) {
    const isPlain =
      typeof setting === 'boolean' ||
      Number.isFinite(setting) ||
      isWord(setting) ||
      (Array.isArray(setting) && setting.every(isWord));
    if (!isWord(name) || !isPlain) {
      throw new FormatError(
        `${op}: the setting ${JSON.stringify(name)} must be plain: it is ${JSON.stringify(setting)}.`,
      );
    }
  }
  return Object.fromEntries(settings) as Checkpoint['settings'];
}

function backendIn(op: string, value: unknown): Checkpoint['backend'] {
  const { backend, threads } = recordIn(op, 'backend', value);
  if (isWord(backend) && Number.isSafeInteger(threads)) return { backend, threads: threads as number };
  throw new FormatError(`${op}: 'backend' must have a name and threads: it is ${JSON.stringify(value)}.`);
}

/** What may stand in a message as it is: a file could otherwise have a terminal do things. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{0,80}$/.test(value);
}

function optimizerIn(
  op: string,
  { algorithm, options, steps, buffers }: Record<string, unknown>,
  tensors: Readonly<Record<string, Tensor>>,
): OptimizerState {
  if (!Array.isArray(steps) || !Array.isArray(buffers)) {
    throw new FormatError(`${op}: the optimizer must have steps and buffers: it has not.`);
  }
  const perParameter = (name: string): (Tensor | null)[] =>
    steps.map((_, i) => (Object.hasOwn(tensors, `${name}.${i}`) ? tensors[`${name}.${i}`] : null));
  return {
    algorithm: String(algorithm),
    options: recordIn(op, 'options', options),
    steps: steps as number[],
    buffers: Object.fromEntries(buffers.map((name) => [String(name), perParameter(String(name))])),
  };
}

function withoutPrefix(tensors: Readonly<Record<string, Tensor>>, prefix: string): Record<string, Tensor> {
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(chosen.map(([name, value]) => [name.slice(prefix.length), value]));
}
