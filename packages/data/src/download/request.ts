// One GET over HTTP, as bytes: nothing is unpacked on the way, whatever the server calls the encoding of a .gz file.
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { MirrorError, PassingError } from './errors.js';

export interface RequestOptions {
  headers: Readonly<Record<string, string>>;
  /** Milliseconds without a byte after which the server counts as stalled. */
  idle: number;
  signal: AbortSignal | undefined;
}

const MOST_REDIRECTS = 5;

/**
 * The answer at a URL, redirects followed.
 *
 * @throws MirrorError when there is none to be expected, or a redirect leads astray
 * @throws PassingError when a later try may succeed
 */
export async function get(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  let from = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    // oxlint-disable-next-line no-await-in-loop -- a redirect is known when its page has answered
    const answer = await answerOf(from, options);
    const { statusCode = 0, headers } = answer;
    if (![301, 302, 303, 307, 308].includes(statusCode)) return answer;
    answer.destroy();
    from = redirectTarget(from, headers.location);
  }
  throw new MirrorError(`redirects more than ${MOST_REDIRECTS} times`);
}

/** @throws MirrorError when it is no web page, or leaves HTTPS */
export function redirectTarget(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new MirrorError(`redirects to ${location === undefined ? 'nowhere' : `'${location}'`}`);
  }
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && !(to.protocol === 'http:' && from.protocol === 'http:')) {
    throw new MirrorError(`redirects from ${from.protocol} to ${to.protocol}, which is less safe`);
  }
  return to;
}

/**
 * Hands each piece of the body to `onPiece` the moment it comes, so that one that was received is not lost when the next never
 * comes; an error of `onPiece` ends it.
 *
 * @throws MirrorError or PassingError when the body breaks off
 */
export function receive(answer: IncomingMessage, onPiece: (piece: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    answer.on('data', (piece: Buffer) => {
      try {
        onPiece(piece);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        answer.destroy();
      }
    });
    answer.on('end', resolve);
    answer.on('error', (error) => reject(networkError(error)));
  });
}

/** What came in the way of an answer, as one of our errors. */
function networkError(error: unknown): MirrorError | PassingError {
  if (error instanceof MirrorError || error instanceof PassingError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const words = passing[code] ?? lasting[code] ?? `failed (${message || code})`;
  return code in passing || code.startsWith('HPE_')
    ? new PassingError(words, { cause: error })
    : new MirrorError(words, { cause: error });
}

const passing: Readonly<Record<string, string>> = {
  ECONNRESET: 'broke the connection off',
  ECONNABORTED: 'broke the connection off',
  EPIPE: 'broke the connection off',
  ERR_STREAM_PREMATURE_CLOSE: 'broke the connection off',
  ETIMEDOUT: 'did not answer',
};

const lasting: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known (no network?)',
  EAI_AGAIN: 'could not be looked up (no network?)',
  ECONNREFUSED: 'refused the connection',
  ENETUNREACH: 'cannot be reached (no network?)',
  EHOSTUNREACH: 'cannot be reached (no network?)',
};

function answerOf(url: URL, { headers, idle, signal }: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      headers: { 'accept-encoding': 'identity', 'user-agent': 'gmml', ...headers },
      signal,
      agent: false,
      timeout: idle,
    });
    // Also while the body comes in, whose reading then ends with the error.
    let answer: IncomingMessage | undefined;
    request.on('timeout', () =>
      (answer ?? request).destroy(new PassingError(`sent nothing for ${idle / 1000} s`)),
    );
    request.on('response', (response) => {
      answer = response;
      resolve(response);
    });
    request.on('error', (error) => reject(networkError(error)));
    request.end();
  });
}
