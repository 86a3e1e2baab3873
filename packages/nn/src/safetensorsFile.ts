// Safetensors files in Node. The file system is looked up when it is needed, so that a page can import this file.

import { ArgumentError, FormatError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { decodeTensors, serializeSafetensors } from './safetensors.js';
import type { Safetensors } from './safetensors.js';
import { headerLength, parseHeader } from './safetensorsHeader.js';
import { writeWhole } from './wholeFile.js';

type FileSystem = typeof import('node:fs');

/** Node reads less than 2³¹ bytes at once. */
const PIECE = 2 ** 30;

/**
 * Writes tensors to a safetensors file, whole or not at all: into a new file beside it, which then takes its name. A pipe or a
 * device is written to as it is.
 *
 * A state dict has PyTorch's names, so that `model.load_state_dict(safetensors.torch.load_file(path))` takes it as it is.
 * Some readers, Hugging Face's transformers among them, want to be told the framework: the metadata `format: 'pt'`.
 *
 * @param tensors by name, such as `model.stateDict()`
 * @param metadata strings to keep beside them
 * @example
 * const model = new Linear(3, 2);
 * saveSafetensors('model.safetensors', model.stateDict(), { format: 'pt' });
 * loadSafetensors('model.safetensors').tensors.weight.shape; // [2, 3]
 * @throws ArgumentError when the file cannot be written, or as {@link serializeSafetensors}
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const fs = fileSystem('saveSafetensors');
  const bytes = serializeSafetensors(tensors, metadata);
  try {
    writeWhole(fs, path, bytes);
  } catch (error) {
    throw new ArgumentError(`saveSafetensors: the file must be writable: ${path}: ${reason(error)}.`);
  }
}

/**
 * The tensors and metadata of a safetensors file; see {@link parseSafetensors} for the number formats. The header is
 * read and checked first, then one tensor after the other.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError when it is cut off, malformed or inconsistent; the message names the file
 */
export function loadSafetensors(path: string): Safetensors {
  const fs = fileSystem('loadSafetensors');
  let file: number | undefined;
  try {
    file = fs.openSync(path, 'r');
    return readTensors(fs, file, `loadSafetensors: ${path}`);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new ArgumentError(`loadSafetensors: the file must be readable: ${path}: ${reason(error)}.`);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function readTensors(fs: FileSystem, file: number, op: string): Safetensors {
  const fileBytes = fs.fstatSync(file).size;
  const headerBytes = headerLength(op, readAt(fs, file, op, 0, Math.min(8, fileBytes)), fileBytes);
  const dataStart = 8 + headerBytes;
  const header = parseHeader(op, readAt(fs, file, op, 8, headerBytes), fileBytes - dataStart);
  return decodeTensors(op, header, (begin, end) => readAt(fs, file, op, dataStart + begin, end - begin));
}

/** Exactly `length` bytes of the file from `position`. */
function readAt(fs: FileSystem, file: number, op: string, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const read = fs.readSync(file, bytes, done, Math.min(PIECE, length - done), position + done);
    if (read === 0)
      throw new FormatError(`${op}: the file must not shrink while it is read: it ended early.`);
    done += read;
  }
  return bytes;
}

function fileSystem(op: string): FileSystem {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  if (fs === undefined) {
    throw new ArgumentError(
      `${op}: there must be a file system: there is none here (Node 20.16 or newer has). Use parseSafetensors and serializeSafetensors.`,
    );
  }
  return fs;
}

/** `ENOENT: no such file or directory` of Node's longer message. */
function reason(error: unknown): string {
  return (error as Error).message.split(',')[0];
}
