/**
 * Via (RFC 3261 §20.42), with `received` and `rport` (§18.2.1, RFC 3581 §4). One value per parse: several on one line
 * are split by headerValues. Blanks are allowed around every mark, as the torture tests of RFC 4475 demand.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  formatParameters,
  parameter,
  parseParameters,
  type SipParameter,
  withParameter,
} from './parameters.js';
import { canonicalHost, parseHostPort } from './uri.js';

export interface Via {
  /** In upper case: `UDP`, `TCP`, `TLS`, `WS` … */
  readonly transport: string;
  /** sent-by host as on the wire. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: readonly SipParameter[];
}

const SENT_PROTOCOL = /^SIP *\/ *2\.0 *\/ *([A-Za-z0-9\-.!%*_+`'~]+) +/i;
const CLAUSE = 'RFC 3261 §20.42';

/** Parses one Via value. */
export function parseVia(value: string): Via {
  const text = value.includes('\t') ? value.replaceAll('\t', ' ') : value;
  const protocol = SENT_PROTOCOL.exec(text);
  if (protocol?.[1] === undefined) throw new DecodeError('a malformed Via', { offset: 0, clause: CLAUSE });
  const sentByStart = protocol[0].length;
  const semicolon = text.indexOf(';', sentByStart);
  const sentBy = (semicolon < 0 ? text.slice(sentByStart) : text.slice(sentByStart, semicolon)).trim();
  return {
    transport: protocol[1].toUpperCase(),
    ...parseHostPort(sentBy.includes(' ') ? sentBy.replace(/ *: */, ':') : sentBy),
    parameters: semicolon < 0 ? [] : parseParameters(text.slice(semicolon)),
  };
}

/** The Via as one header value. */
export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${formatParameters(via.parameters)}`;
}

/** The branch parameter; undefined when absent or empty. */
export function branchOf(via: Via): string | undefined {
  const branch = parameter(via.parameters, 'branch');
  return branch === undefined || branch === '' ? undefined : branch;
}

/**
 * The Via with what the receiver saw: `received` when the sender's address differs from its sent-by or rport is asked
 * for, `rport` filled when it is asked for. The same object when nothing is to be added.
 */
export function withSource(via: Via, source: { readonly address: string; readonly port: number }): Via {
  const asksRport = parameter(via.parameters, 'rport') !== undefined;
  const differs = canonicalHost(via.host) !== source.address.toLowerCase();
  const claimsReceived = parameter(via.parameters, 'received') !== undefined;
  if (!asksRport && !differs && !claimsReceived) return via;
  let parameters = withParameter(via.parameters, 'received', source.address);
  if (asksRport) parameters = withParameter(parameters, 'rport', String(source.port));
  return { ...via, parameters };
}
