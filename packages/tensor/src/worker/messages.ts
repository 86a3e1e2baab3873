// What a page and its worker say to each other. Neither Node's types nor the DOM's are assumed.
import * as errors from '../errors.js';
import { GmmlError } from '../errors.js';

/** One end of a connection: a Worker, a worker's global scope, or a MessagePort. */
export interface Port {
  /** Sends a message; the buffers named move over. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Listens: to `message`, and to what says that a worker failed. */
  addEventListener(type: string, listener: (event: unknown) => void): void;
  /** A MessagePort waits for it. */
  start?(): void;
  /** A Worker's. */
  terminate?(): unknown;
  /** A MessagePort's. */
  close?(): void;
}

/**
 * `hello`, `run` and `abort` go to the worker; the others come from it. It says `ready` when it starts to serve and in answer
 * to `hello`, and gets nothing else before: a page's worker loses what arrives while its script still awaits something.
 */
export type Message =
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'run'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: PackedError }
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PackedError };

/** Calls `listen` with each message. */
export function onMessage(port: Port, listen: (message: Message) => void): void {
  port.addEventListener('message', (event) => listen((event as { readonly data: Message }).data));
  port.start?.();
}

/** An error on its way, in words. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** What the error says besides in numbers and words, such as the matrix that is not positive definite. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What can be posted of an error, or of anything else that was thrown. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), details: {} };
  const { name, message, stack } = error;
  // Other libraries' errors have a name of their own, which those of this package refuse.
  const plain = Object.entries(error).filter(
    ([key, value]) => !(key in Error.prototype) && ['number', 'string'].includes(typeof value),
  );
  return { name, message, stack, details: Object.fromEntries(plain) };
}

/** An error of the class that it had, where that is one of this package, with the worker's stack. */
export function unpackError({ name, message, stack, details }: PackedError): Error {
  const known = (errors as Readonly<Record<string, new (message: string) => Error>>)[name];
  const isOurs = known !== undefined && (known === GmmlError || known.prototype instanceof GmmlError);
  const error = isOurs ? new known(message) : new Error(message);
  if (!isOurs) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, details);
}
