/**
 * Unit 21: what reaches the terminal by SIP MESSAGE (SIR-83, SIR-148, SIR-159). A SIA body is a SIR; anything else is content,
 * which profile S1 refuses with the types that it takes. Every way out has answered.
 */
import { DecodeError, describeError } from '../kernel/errors.js';
import { parseContentType } from '../protocols/mime/index.js';
import { canonicalHeaderName, headerValue, type SipRequest } from '../protocols/sip/index.js';
import type { ServerRequest } from '../transports/sip-stack/sip-stack.js';
import type { ContentHeader } from './content.js';
import type { ContentReceiving } from './content-receiving.js';
import { SIA_MEDIA_TYPE, sirOfRequest } from './sir.js';
import { answerToSir } from './sir-answer.js';
import type { SirHandling } from './sir-handling.js';
import type { TerminalEventFeed } from './terminal-events.js';
import type { TerminalProfile } from './terminal-options.js';

export interface MessageReceivingPorts {
  readonly sirs: Pick<SirHandling, 'judge' | 'follow' | 'policy'>;
  readonly content: Pick<ContentReceiving, 'receive'>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
  readonly profile: TerminalProfile;
}

export async function receiveMessage(request: ServerRequest, ports: MessageReceivingPorts): Promise<void> {
  try {
    if (mediaTypeOf(request.message) === SIA_MEDIA_TYPE) await receiveSir(request, ports);
    else await receiveContent(request, ports);
  } catch (error) {
    ports.events.emit({ kind: 'error', doing: 'receiving a MESSAGE', reason: describeError(error) });
    request.respond(error instanceof DecodeError ? 400 : 500);
  }
}

async function receiveSir(request: ServerRequest, { sirs }: MessageReceivingPorts): Promise<void> {
  const sir = sirOfRequest(request.message, request.flow);
  const judgement = await sirs.judge(sir);
  const answer = answerToSir(sir, judgement, sirs.policy);
  request.respond(answer.status, answer.options);
  void sirs.follow(sir, judgement);
}

async function receiveContent(
  request: ServerRequest,
  { content, profile }: MessageReceivingPorts,
): Promise<void> {
  const { message } = request;
  if (profile === 'S1') {
    return request.respond(415, { headers: [{ name: 'Accept', value: SIA_MEDIA_TYPE }] });
  }
  await content.receive({
    id: headerValue(message, 'call-id') ?? '',
    via: 'message',
    contentType: headerValue(message, 'content-type') ?? 'text/plain',
    headers: pushHeaders(message),
    bytes: message.body,
  });
  request.respond(200);
}

function mediaTypeOf(message: SipRequest): string | undefined {
  const value = headerValue(message, 'content-type');
  return value === undefined ? undefined : parseContentType(value).mediaType;
}

/** Header fields of SIP itself and of its extensions that say nothing about the content. */
const SIP_HEADERS = new Set([
  ...[
    'via',
    'from',
    'to',
    'call-id',
    'cseq',
    'max-forwards',
    'route',
    'record-route',
    'contact',
    'content-type',
  ],
  ...[
    'content-length',
    'user-agent',
    'server',
    'allow',
    'supported',
    'accept-contact',
    'request-disposition',
  ],
  ...['p-asserted-identity', 'p-preferred-identity', 'require', 'proxy-require', 'privacy', 'path'],
]);

function pushHeaders({ headers }: SipRequest): readonly ContentHeader[] {
  return headers.filter(({ name }) => !SIP_HEADERS.has(canonicalHeaderName(name)));
}
