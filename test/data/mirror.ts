// A mirror on this machine that behaves as it is told, one request after the other.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers a request for a file. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, file: Buffer) => void;

export interface Mirror {
  url: string;
  host: string;
  /** What was asked for so far: the file, with the range and the condition where there were such. */
  asked: string[];
  /** Behaviours of the next requests; those after them are answered as they should be. */
  next: Behaviour[];
  /** What it has. */
  files: Record<string, Buffer>;
}

/** Serves the files until the running test ends. */
export async function mirrorOf(files: Record<string, Buffer>): Promise<Mirror> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? '';
    const { range, 'if-range': condition } = request.headers;
    mirror.asked.push([name, range, condition].filter((part) => part !== undefined).join(' '));
    const behaviour = mirror.next.shift() ?? honest;
    const file = mirror.files[name];
    if (file) behaviour(request, response, file);
    else status(404)(request, response, Buffer.alloc(0));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mirror: Mirror = { url: `http://${host}/files`, host, asked: [], next: [], files: { ...files } };
  return mirror;
}

export function etagOf(file: Uint8Array): string {
  return `"${createHash('md5').update(file).digest('hex')}"`;
}

/** With ranges, an ETag and If-Range. */
const honest: Behaviour = (request, response, file) => {
  const { first, headers } = answerTo(request, file);
  response.writeHead(first > 0 ? 206 : 200, headers);
  response.end(file.subarray(first));
};

/** The whole file, whatever is asked for. */
export const withoutRanges: Behaviour = (_, response, file) => {
  response.writeHead(200, { 'content-length': file.length });
  response.end(file);
};

/** Whatever the condition says, and without an ETag. */
export const unconditional: Behaviour = (request, response, file) => {
  const first = firstByte(request);
  response.writeHead(206, { 'content-range': `bytes ${first}-${file.length - 1}/${file.length}` });
  response.end(file.subarray(first));
};

/** Breaks off after so many bytes, more of which were announced. */
export function cut(bytes: number): Behaviour {
  return (request, response, file) => {
    const { first, headers } = answerTo(request, file);
    response.writeHead(first > 0 ? 206 : 200, headers);
    response.write(file.subarray(first, first + bytes), () => response.destroy());
  };
}

/** Ends after so many bytes as if that were all. */
export function short(bytes: number): Behaviour {
  return (_, response, file) => {
    response.writeHead(200);
    response.end(file.subarray(0, bytes));
  };
}

/** Sends so many bytes and then nothing, without an end. */
export function stall(bytes: number): Behaviour {
  return (request, response, file) => {
    const { first, headers } = answerTo(request, file);
    response.writeHead(first > 0 ? 206 : 200, headers);
    response.write(file.subarray(first, first + bytes));
  };
}

/** The right size with one wrong byte. */
export const corrupt: Behaviour = (_, response, file) => {
  const wrong = Buffer.from(file);
  wrong[wrong.length >> 1] ^= 1;
  withoutRanges(_, response, wrong);
};

export function status(code: number, headers: Record<string, string> = {}): Behaviour {
  return (_, response) => {
    response.writeHead(code, headers);
    response.end('a page that is no file');
  };
}

function answerTo(
  request: IncomingMessage,
  file: Buffer,
): { first: number; headers: Record<string, string | number> } {
  const etag = etagOf(file);
  const condition = request.headers['if-range'];
  const first = condition === undefined || condition === etag ? firstByte(request) : 0;
  const range = { 'content-range': `bytes ${first}-${file.length - 1}/${file.length}` };
  return { first, headers: { etag, 'content-length': file.length - first, ...(first > 0 && range) } };
}

function firstByte({ headers: { range } }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
}
