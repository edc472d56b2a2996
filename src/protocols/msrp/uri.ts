/**
 * MSRP URIs (RFC 4975 §6): `msrp://[user@]host[:port]/session-id;tcp[;parameter…]`.
 * Host names are not resolved here; relays (RFC 4976) see their parameters kept but not interpreted.
 */
import { DecodeError } from '../../kernel/errors.js';

export interface MsrpUri {
  readonly scheme: 'msrp' | 'msrps';
  readonly userinfo: string | undefined;
  /** Lower case; an IPv6 literal without its brackets. */
  readonly host: string;
  /** Undefined when the URI names none. */
  readonly port: number | undefined;
  /** Case-sensitive. Undefined only in the URI of a relay or a server without a session. */
  readonly sessionId: string | undefined;
  /** Lower case; `tcp` is the only one defined. */
  readonly transport: string;
  /** What follows the transport, `;` included, as it stands. */
  readonly parameters: string;
}

/** Port of a URI that names none (RFC 4975 §15.4). */
export const DEFAULT_MSRP_PORT = 2855;

const MAX_URI_CHARACTERS = 1024;
const USERINFO = /^[A-Za-z0-9\-._~%!$&'()*+,;=:]*$/;
const HOST_NAME = /^[A-Za-z0-9\-._~%!$&'()*+,=]+$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;
const SESSION_ID = /^[A-Za-z0-9\-._~+=/]+$/;
const TRANSPORT = /^[A-Za-z0-9]+$/;
const PARAMETERS = /^(?:;[!#-'*+\-.0-9A-Z^-~]+(?:=[!#-'*+\-.0-9A-Z^-~]+)?)*$/;

/** Reads one URI of a path. Throws DecodeError. */
export function parseMsrpUri(text: string): MsrpUri {
  if (text.length > MAX_URI_CHARACTERS) {
    throw new DecodeError('MSRP URI is too long', { code: 'limitExceeded', clause: 'RFC 4975 §6' });
  }
  const schemeEnd = text.indexOf('://');
  const scheme = text.slice(0, Math.max(schemeEnd, 0)).toLowerCase();
  if (scheme !== 'msrp' && scheme !== 'msrps') throw broken('scheme', text);

  const rest = text.slice(schemeEnd + 3);
  const slash = rest.indexOf('/');
  // Without a session-id the authority ends at the transport; `;` may also stand in userinfo, so look behind the `@`.
  const at = slash < 0 ? rest.lastIndexOf('@') : rest.lastIndexOf('@', slash);
  const semicolon = rest.indexOf(';', slash < 0 ? at + 1 : slash);
  if (semicolon < 0) throw broken('transport', text);
  const authority = rest.slice(0, slash < 0 ? semicolon : slash);
  const sessionId = slash < 0 ? undefined : rest.slice(slash + 1, semicolon);
  if (sessionId !== undefined && !SESSION_ID.test(sessionId)) throw broken('session-id', text);

  const parametersAt = rest.indexOf(';', semicolon + 1);
  const transport = rest.slice(semicolon + 1, parametersAt < 0 ? rest.length : parametersAt);
  if (!TRANSPORT.test(transport)) throw broken('transport', text);
  const parameters = parametersAt < 0 ? '' : rest.slice(parametersAt);
  if (!PARAMETERS.test(parameters)) throw broken('parameter', text);

  const userinfo = at < 0 ? undefined : authority.slice(0, at);
  if (userinfo !== undefined && !USERINFO.test(userinfo)) throw broken('userinfo', text);
  const { host, port } = parseHostPort(authority.slice(at + 1), text);
  return { scheme, userinfo, host, port, sessionId, transport: transport.toLowerCase(), parameters };
}

/** The URI as text; an IPv6 literal gets its brackets. */
export function formatMsrpUri(uri: MsrpUri): string {
  const user = uri.userinfo === undefined ? '' : `${uri.userinfo}@`;
  const host = uri.host.includes(':') ? `[${uri.host}]` : uri.host;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const session = uri.sessionId === undefined ? '' : `/${uri.sessionId}`;
  return `${uri.scheme}://${user}${host}${port}${session};${uri.transport}${uri.parameters}`;
}

/**
 * Equality of RFC 4975 §6.1 (userinfo and parameters do not count) that leaves out host and port: session gateways that carry the media rewrite them in the SDP but not in the
 * requests ("sessmatch"; behind a CEMA middlebox, RFC 6714, nothing is rewritten and both rules agree). Safe for
 * session-ids that nobody can guess (RFC 4975 §14.1), which is what identifies the session.
 */
export function sameMsrpSession(a: MsrpUri, b: MsrpUri): boolean {
  return (
    a.scheme === b.scheme &&
    a.transport === b.transport &&
    a.sessionId !== undefined &&
    a.sessionId === b.sessionId
  );
}

function parseHostPort(text: string, uri: string): { host: string; port: number | undefined } {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  const colon = text.indexOf(':', bracket + 1);
  const hostEnd = colon < 0 ? text.length : colon;
  const host = bracket < 0 ? text.slice(0, hostEnd) : text.slice(1, bracket);
  if (bracket < 0 ? !HOST_NAME.test(host) : !IPV6.test(host) || bracket + 1 !== hostEnd) {
    throw broken('host', uri);
  }
  if (colon < 0) return { host: host.toLowerCase(), port: undefined };
  const port = text.slice(colon + 1);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw broken('port', uri);
  return { host: host.toLowerCase(), port: Number(port) };
}

function broken(part: string, uri: string): DecodeError {
  return new DecodeError(`MSRP URI with a bad ${part}: ${JSON.stringify(uri.slice(0, 200))}`, {
    clause: 'RFC 4975 §9 MSRP-URI',
  });
}
