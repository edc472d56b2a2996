/**
 * The URIs that may name a recipient (RFC 3261 §19.1, RFC 3966, RFC 5627, RFC 6068), reduced to the identity behind them:
 * scheme and host in lower case, without parameters, header fields and password. Deeper equality (escapes in user parts) is
 * the registry's, which owns the canonical form.
 */
import { DecodeError } from '../../kernel/errors.js';

export interface RecipientUri {
  readonly scheme: 'sip' | 'sips' | 'tel' | 'mailto';
  readonly recipient: string;
  /** The whole GRUU when there is a `gr` parameter (RFC 5627 §3): it names one device of the recipient. */
  readonly device?: string;
}

/** Reads a URI of the four schemes; undefined for any other text. Throws DecodeError when the rest of the URI is bad. */
export function readUri(text: string): RecipientUri | undefined {
  const scheme = /^(sips?|tel|mailto):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sip':
    case 'sips':
      return readSip(scheme, text);
    case 'tel':
      return readTel(text.slice('tel:'.length));
    case 'mailto':
      return readMailto(text.slice('mailto:'.length));
    default:
      return undefined;
  }
}

/** Applied before letters are lowered: a few others than ASCII ones have an ASCII lower case. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

function readSip(scheme: 'sip' | 'sips', text: string): RecipientUri {
  const afterScheme = text.slice(scheme.length + 1);
  // A user part may hold ";" and "?", so the last "@" ends it.
  const at = afterScheme.lastIndexOf('@');
  const userInfo = at < 0 ? '' : afterScheme.slice(0, at);
  const [hostPort = '', ...parameters] = (afterScheme.slice(at + 1).split('?', 1)[0] ?? '').split(';');
  const host = hostPort.replace(/\.(?=:|$)/, '');
  const user = userInfo.split(':', 1)[0] ?? '';
  if (user === '' || !isVisible(user) || !HOST.test(host))
    refuse('a SIP recipient is user@host', 'RFC 3261 §19.1');
  const isGruu = parameters.some((parameter) => /^gr(?:=|$)/i.test(parameter));
  if (isGruu && !isVisible(text)) refuse('bad GRUU', 'RFC 5627 §3');
  return {
    scheme,
    recipient: `${scheme}:${user}@${host.toLowerCase()}`,
    ...(isGruu ? { device: text } : {}),
  };
}

function readTel(afterScheme: string): RecipientUri {
  const [subscriber = '', ...parameters] = afterScheme.split(';');
  const number = subscriber.replace(/^%2B/i, '+').replace(/[-.()]/g, '');
  if (/^\+[0-9]{1,32}$/.test(number)) return { scheme: 'tel', recipient: `tel:${number}` };
  const context = parameters
    .find((parameter) => /^phone-context=/i.test(parameter))
    ?.slice('phone-context='.length);
  // [RFC 3966 §5.1.5] A local number means nothing without its context.
  if (
    !/^[0-9A-F*#]{1,32}$/i.test(number) ||
    context === undefined ||
    !/^\+?[A-Za-z0-9.-]{1,253}$/.test(context)
  ) {
    refuse('a telephone recipient is + and digits, or a local number with phone-context', 'RFC 3966 §3');
  }
  return { scheme: 'tel', recipient: `tel:${number.toUpperCase()};phone-context=${context.toLowerCase()}` };
}

function readMailto(afterScheme: string): RecipientUri {
  const address = afterScheme.split('?', 1)[0] ?? '';
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 1 || !isVisible(address) || domain.includes(':') || !HOST.test(domain))
    refuse('bad mail address', 'RFC 6068 §2');
  return { scheme: 'mailto', recipient: `mailto:${address.slice(0, at)}@${domain.toLowerCase()}` };
}

function isVisible(text: string): boolean {
  return !/[\u0000-\u0020\u007f<>"]/.test(text);
}

function refuse(detail: string, clause: string): never {
  throw new DecodeError(detail, { clause });
}
