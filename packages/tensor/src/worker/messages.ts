// What a page and its worker say to each other. Neither Node's types nor the DOM's are assumed.
import * as errors from '../errors.js';
import { GmmlError } from '../errors.js';

/** One end of a connection: a Worker, a worker's global scope, or a MessagePort. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: string, listener: (event: unknown) => void): void;
  /** A MessagePort waits for it. */
  start?(): void;
  /** A Worker's. */
  terminate?(): unknown;
  /** A MessagePort's. */
  close?(): void;
}

/** `run` and `abort` go to the worker; the others come from it. */
export type Message =
  | { readonly kind: 'run'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: SentError }
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SentError };

/** Calls `listen` with each message. */
export function onMessage(port: Port, listen: (message: Message) => void): void {
  port.addEventListener('message', (event) => listen((event as { readonly data: Message }).data));
  port.start?.();
}

/** An error in words. */
export interface SentError {
  readonly name: string;
  readonly message: string;
}

export function sent(error: unknown): SentError {
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

/** An error of the class that it had, where that is one of this package. */
export function received({ name, message }: SentError): Error {
  const known = (errors as Readonly<Record<string, new (message: string) => Error>>)[name];
  if (known !== undefined && (known === GmmlError || known.prototype instanceof GmmlError))
    return new known(message);
  const error = new Error(message);
  error.name = name;
  return error;
}
