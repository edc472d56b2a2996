/**
 * What reaches the terminal by WSP, in datagrams and in sessions (SIR-85, SIR-148): a SIA body is a SIR, anything else is content. The reason of
 * an abort says why something is not taken, where anybody wants to hear it.
 */
import { createHash } from 'node:crypto';
import { DecodeError, describeError } from '../kernel/errors.js';
import { formatContentType, headerValue } from '../protocols/mime/index.js';
import { ABORT, type PushContents } from '../protocols/wsp/index.js';
import type { ContentReceiving } from './content-receiving.js';
import { SIA_MEDIA_TYPE, sirOfBody } from './sir.js';
import type { SirHandling } from './sir-handling.js';
import type { TerminalEventFeed } from './terminal-events.js';

export interface WspReceivingPorts {
  readonly sirs: Pick<SirHandling, 'judge' | 'follow'>;
  readonly content: Pick<ContentReceiving, 'receive'>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
}

/** Takes one push; undefined once it is safe, else the reason (`ABORT`). Never rejects. */
export async function receiveWspPush(
  { contentType, headers, body }: PushContents,
  { sirs, content, events }: WspReceivingPorts,
): Promise<number | undefined> {
  try {
    if (contentType.mediaType === SIA_MEDIA_TYPE) {
      const sir = sirOfBody(body, 'wsp');
      void sirs.follow(sir, await sirs.judge(sir));
      return undefined;
    }
    await content.receive({
      id: headerValue(headers, 'x-push-id') ?? createHash('sha256').update(body).digest('hex'),
      via: 'wsp',
      contentType: formatContentType(contentType.mediaType, contentType.parameters),
      headers: headers.map(({ name, value }) => ({ name, value })),
      bytes: body,
    });
    return undefined;
  } catch (error) {
    events.emit({ kind: 'error', doing: 'receiving by WSP', reason: describeError(error) });
    return error instanceof DecodeError ? ABORT.userRefused : ABORT.userPending;
  }
}
