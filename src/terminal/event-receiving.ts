/**
 * What reaches the terminal as JSON from a service on the Internet: a wake-up with a SIR, by the call-back of an operator (SIR-90) or by Web Push, and
 * by the latter a push as well. Who may send is checked before: a call-back has to be signed, and a push message is encrypted for keys that
 * only the gateway was told.
 */
import { DecodeError, describeError } from '../kernel/errors.js';
import { webhookProblem } from '../protocols/standard-webhooks/index.js';
import type { OwnSubscription } from '../protocols/web-push/index.js';
import type { ContentReceiving } from './content-receiving.js';
import type { ReceivedPost } from './post-listener.js';
import { sirOfBody } from './sir.js';
import type { SirHandling } from './sir-handling.js';
import type { TerminalEventFeed } from './terminal-events.js';

export interface EventReceivingPorts {
  readonly sirs: Pick<SirHandling, 'judge' | 'follow'>;
  readonly content: Pick<ContentReceiving, 'receive'>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
}

/** The call-back that wakes this terminal; gives the HTTP status of the answer. Never rejects. */
export async function receiveCallback(
  { header, body }: ReceivedPost,
  { key, now }: { readonly key: Uint8Array; readonly now: number },
  ports: EventReceivingPorts,
): Promise<number> {
  const problem = webhookProblem(header, body, key, now);
  if (problem !== undefined) {
    ports.events.emit({ kind: 'error', doing: 'receiving a call-back', reason: problem });
    return 401;
  }
  return receiveEvent(body, 'http-callback', ports);
}

/** A message of the push service for this terminal; gives the HTTP status of the answer. Never rejects. */
export async function receivePushMessage(
  { header, body }: ReceivedPost,
  { decrypt }: Pick<OwnSubscription, 'decrypt'>,
  ports: EventReceivingPorts,
): Promise<number> {
  try {
    // [RFC 8030 §5.2] Without it a push service must refuse.
    if (!/^\d+$/.test(header('ttl') ?? '')) throw new DecodeError('no TTL');
    if (body.length === 0) throw new DecodeError('a wake-up without a SIR in it');
    if (header('content-encoding') !== 'aes128gcm') throw new DecodeError('not encrypted');
    const status = await receiveEvent(decrypt(body), 'web-push', ports);
    return status === 204 ? 201 : status;
  } catch (error) {
    ports.events.emit({ kind: 'error', doing: 'receiving by Web Push', reason: describeError(error) });
    return 400;
  }
}

async function receiveEvent(
  octets: Uint8Array,
  carrier: 'http-callback' | 'web-push',
  { sirs, content, events }: EventReceivingPorts,
): Promise<number> {
  try {
    const event = objectIn(octets);
    if (event['type'] === 'terminal.wake') {
      const sir = sirOfBody(Buffer.from(textIn(event, 'sia'), 'base64'), carrier);
      void sirs.judge(sir).then((judged) => sirs.follow(sir, judged));
      return 204;
    }
    if (event['type'] !== 'push' || carrier !== 'web-push') throw new DecodeError('an event of another type');
    await content.receive({
      id: textIn(event, 'id'),
      via: carrier,
      contentType: textIn(event, 'contentType'),
      headers: headersIn(event),
      bytes:
        event['base64'] === undefined
          ? Buffer.from(textIn(event, 'content'), 'utf8')
          : Buffer.from(textIn(event, 'base64'), 'base64'),
    });
    return 204;
  } catch (error) {
    events.emit({ kind: 'error', doing: 'receiving an event', reason: describeError(error) });
    return error instanceof DecodeError ? 400 : 503;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function objectIn(octets: Uint8Array): Fields {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (cause) {
    throw new DecodeError('not JSON in UTF-8', { cause });
  }
  if (typeof json !== 'object' || json === null) throw new DecodeError('not a JSON object');
  return json as Fields;
}

function textIn(event: Fields, name: string): string {
  const value = event[name];
  if (typeof value !== 'string') throw new DecodeError(`${name}: has to be a text`);
  return value;
}

function headersIn({ headers }: Fields): readonly { readonly name: string; readonly value: string }[] {
  if (typeof headers !== 'object' || headers === null) return [];
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, value }] : [],
  );
}
