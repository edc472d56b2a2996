/**
 * What reaches the terminal by OTA-HTTP, in either direction (SIR-82, SIR-148): a SIA body is a SIR, anything else is content. The status says
 * what became of it: taken, refused by the terminal's own judgement, or not now.
 */
import { createHash } from 'node:crypto';
import { DecodeError, describeError } from '../kernel/errors.js';
import { parseContentType } from '../protocols/mime/index.js';
import type { PushRequest } from '../protocols/ota-http/index.js';
import type { ContentReceiving } from './content-receiving.js';
import type { OtaPushAnswer } from './ota-http-responder.js';
import { SIA_MEDIA_TYPE, sirOfBody } from './sir.js';
import { otaAnswerToSir } from './sir-answer.js';
import type { SirHandling } from './sir-handling.js';
import type { TerminalEventFeed } from './terminal-events.js';

export interface OtaReceivingPorts {
  readonly sirs: Pick<SirHandling, 'judge' | 'follow' | 'policy'>;
  readonly content: Pick<ContentReceiving, 'receive'>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
}

const ACCEPTED = 400;
const REFUSED = 235;
const NOT_NOW = 236;

/** Takes one push; never rejects. */
export async function receiveOtaPush(push: PushRequest, ports: OtaReceivingPorts): Promise<OtaPushAnswer> {
  try {
    if (mediaTypeOf(push) === SIA_MEDIA_TYPE) return await receiveSir(push, ports);
    const { contentType, headers, content: bytes } = push;
    const id = push.id ?? createHash('sha256').update(bytes).digest('hex');
    await ports.content.receive({ id, via: 'http', contentType, headers, bytes });
    return { status: ACCEPTED };
  } catch (error) {
    ports.events.emit({ kind: 'error', doing: 'receiving by OTA-HTTP', reason: describeError(error) });
    return { status: error instanceof DecodeError ? REFUSED : NOT_NOW };
  }
}

async function receiveSir({ content }: PushRequest, { sirs }: OtaReceivingPorts): Promise<OtaPushAnswer> {
  const sir = sirOfBody(content, 'http');
  const judged = await sirs.judge(sir);
  void sirs.follow(sir, judged);
  return otaAnswerToSir(sir, judged, sirs.policy);
}

function mediaTypeOf({ contentType }: PushRequest): string {
  return parseContentType(contentType).mediaType;
}
