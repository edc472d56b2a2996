/**
 * A message of a subscriber (SIR-134): a terminal returns what a SIR asked for. Its text is a JSON object, the same as on other carriers; in a second
 * line its signature, for terminals that have a key. The number of the sender proves nothing. What is something else is told to the log and
 * acknowledged, so that it does not come for ever.
 */
import { DecodeError, describeError, RefusedError } from '../../kernel/errors.js';
import { ESM_CLASS, PARAMETER, type Parameters, type ShortMessage } from '../../protocols/smpp/index.js';
import { decodeText, decodeUserData, type Part } from '../../protocols/sms/index.js';
import type { IncomingPart, IncomingText, ReceivingLink, SmsEndpointPorts } from './ports.js';

/** A return of 16 KiB has no more. */
const MAX_PARTS = 128;
/** Octets of one part: 140, or a whole message in its parameter. */
const MAX_OCTETS = 20_480;

type Incoming = Pick<ShortMessage, 'source' | 'destination' | 'esmClass' | 'dataCoding' | 'shortMessage'>;

/** Resolves when it is safe, or known to be of no use; rejects when it cannot be kept now. */
export async function takeIncomingMessage(
  message: Incoming,
  parameters: Parameters,
  link: ReceivingLink,
  ports: SmsEndpointPorts,
): Promise<void> {
  const tell = (result: 'refused' | 'unknown' | 'part', detail: string) =>
    ports.observe({ kind: 'message', link: link.name, from: message.source, result, detail });
  const payload = parameters.get(PARAMETER.messagePayload) ?? message.shortMessage;
  if (payload.length > MAX_OCTETS) return tell('unknown', `a message of ${payload.length} octets`);
  const { dataCoding } = message;
  let octets: Uint8Array;
  let part: Pick<Part, 'reference' | 'total' | 'number'> | undefined;
  try {
    ({ octets, part } = partIn(message, payload, parameters));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return tell('unknown', error.detail);
  }
  if (!part || part.total === 1) return takeText([{ octets, dataCoding }], message, link, ports);
  if (part.total > MAX_PARTS) return tell('unknown', `a message of ${part.total} parts`);
  const { reference, total, number } = part;
  const incoming: IncomingPart = {
    from: message.source,
    to: message.destination,
    reference,
    total,
    number,
    octets,
    dataCoding,
  };
  const all = await ports.assembly.add(incoming);
  if (!all) return tell('part', `part ${number} of ${total}`);
  await takeText(all, message, link, ports);
  await ports.assembly.done(incoming);
}

/** By the user data header, or by the parameters with which an SMSC says the same (sar_…). */
function partIn(
  { esmClass }: Incoming,
  payload: Uint8Array,
  parameters: Parameters,
): { readonly octets: Uint8Array; readonly part: Pick<Part, 'reference' | 'total' | 'number'> | undefined } {
  if ((esmClass & ESM_CLASS.userDataHeader) !== 0) {
    const { header, data } = decodeUserData(payload);
    return { octets: data, part: header.part };
  }
  const [reference, total, number] = [PARAMETER.sarReference, PARAMETER.sarTotal, PARAMETER.sarSequence].map(
    (tag) => numberIn(parameters.get(tag)),
  );
  const isPart =
    reference !== undefined && total !== undefined && number !== undefined && number >= 1 && number <= total;
  return { octets: payload, part: isPart ? { reference, total, number } : undefined };
}

async function takeText(
  texts: readonly IncomingText[],
  { source: from }: Incoming,
  link: ReceivingLink,
  { take, observe }: SmsEndpointPorts,
): Promise<void> {
  const text = textOf(texts, link);
  const { body, signature } = split(text);
  if (!body.startsWith('{')) {
    const detail = `a message of ${text.length} characters that is no return`;
    return observe({ kind: 'message', link: link.name, from, result: 'unknown', detail });
  }
  try {
    const { terminal, kind } = await take(
      Buffer.from(body, 'utf8'),
      signature === undefined ? {} : { signature },
    );
    observe({ kind: 'message', link: link.name, from, result: 'returned', detail: kind, terminal });
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof RefusedError) || error.retry !== 'never')
      throw error;
    observe({ kind: 'message', link: link.name, from, result: 'refused', detail: describeError(error) });
  }
}

/** Characters of 16 bits and octets of UTF-8 may straddle parts, so that parts of one coding are read as one. */
function textOf(texts: readonly IncomingText[], { defaultAlphabet }: ReceivingLink): string {
  const [first] = texts;
  if (first && texts.every(({ dataCoding }) => dataCoding === first.dataCoding)) {
    return decodeText(Buffer.concat(texts.map(({ octets }) => octets)), first.dataCoding, defaultAlphabet);
  }
  return texts.map(({ octets, dataCoding }) => decodeText(octets, dataCoding, defaultAlphabet)).join('');
}

/** HMAC-SHA-256 in base64url has 43 characters. */
function split(text: string): { readonly body: string; readonly signature?: string } {
  const [, body, signature] = /^([\s\S]*?)\r?\n([A-Za-z0-9_-]{43}=?)\s*$/.exec(text) ?? [];
  return body === undefined || signature === undefined ? { body: text.trim() } : { body, signature };
}

/** One or two octets, high one first. */
function numberIn(octets: Uint8Array | undefined): number | undefined {
  if (octets === undefined || octets.length === 0 || octets.length > 2) return undefined;
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}
