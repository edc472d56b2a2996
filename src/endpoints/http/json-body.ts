/** Reads the JSON body of a request: declared as such, UTF-8, bounded. What it means is for the caller to say. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import { KIB } from '../../kernel/units.js';

export const MAX_BODY_BYTES = 64 * KIB;
/** How much of a body that is too large is read and dropped, as a multiple of the limit, so that its sender gets to see the answer. */
const DROP_FACTOR = 16;

/** Throws RefusedError `unsupportedMediaType`, DecodeError `limitExceeded` or `malformed`. How long it may take is the server's limit. */
export async function readJson(ctx: Context, maxBytes: number = MAX_BODY_BYTES): Promise<unknown> {
  const bytes = await readJsonOctets(ctx, maxBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new DecodeError('body: not JSON in UTF-8', { clause: 'RFC 8259', cause });
  }
}

/** The same as it came, for whoever has to check a signature first. */
export async function readJsonOctets(ctx: Context, maxBytes: number): Promise<Uint8Array> {
  checkMediaType(ctx);
  const bytes = await readBytes(ctx.req, maxBytes);
  if (bytes !== undefined) return bytes;
  ctx.set('Connection', 'close');
  throw new DecodeError(`body: larger than ${maxBytes} octets`, { code: 'limitExceeded' });
}

function checkMediaType(ctx: Context): void {
  const [type = '', ...parameters] = ctx
    .get('Content-Type')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (type !== 'application/json' || (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))) {
    throw new RefusedError('unsupportedMediaType', 'Content-Type: has to be application/json in UTF-8');
  }
  const coding = ctx.get('Content-Encoding').trim().toLowerCase();
  if (coding !== '' && coding !== 'identity') {
    throw new RefusedError('unsupportedMediaType', 'Content-Encoding: has to be absent');
  }
}

/** The body; undefined when it is larger than we take. */
async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The socket has to outlive the loop, for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size <= maxBytes) chunks.push(chunk as Buffer);
      else if (size > maxBytes * DROP_FACTOR) break;
    }
  } catch (cause) {
    throw new DecodeError('body: did not arrive whole', { cause });
  }
  return size <= maxBytes ? Buffer.concat(chunks) : undefined;
}
