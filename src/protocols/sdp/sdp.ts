/**
 * Session descriptions (RFC 4566, RFC 8866) as ordered lines: the session part and one part per `m=` line. Only what
 * offer and answer need is interpreted; every other line is kept where it stood. Line ends may be bare LF on receipt
 * (RFC 8866 §5); CRLF is written always.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import { DEFAULT_SDP_LIMITS, type SdpLimits } from './limits.js';

export interface SdpLine {
  /** One letter. */
  readonly type: string;
  readonly value: string;
}

export interface SdpMedia {
  /** `message`, `audio` … */
  readonly media: string;
  /** 0 declines or disables the media. */
  readonly port: number;
  /** `TCP/MSRP`, `RTP/AVP` … as written. */
  readonly protocol: string;
  /** What follows the protocol: `*` for MSRP, payload types for RTP. */
  readonly formats: string;
  /** Lines behind the `m=` line, in order. */
  readonly lines: readonly SdpLine[];
}

export interface Sdp {
  /** Lines before the first `m=`, from `v=0` on. */
  readonly lines: readonly SdpLine[];
  readonly media: readonly SdpMedia[];
}

const MEDIA_LINE = /^([A-Za-z0-9!#$%&'*+.^_`{|}~-]+) (\d{1,5})(?:\/\d{1,5})? ([A-Za-z0-9/.+_-]+)(?: (.*))?$/;

/** Decodes a whole description. Throws DecodeError for anything that is no list of lines starting with `v=0`. */
export function decodeSdp(bytes: Uint8Array, limits: SdpLimits = DEFAULT_SDP_LIMITS): Sdp {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} octets`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const rows = text.split('\n', limits.maxLines + 2);
  if (rows.length > limits.maxLines + 1) throw tooLarge(`more than ${limits.maxLines} lines`);
  const session: SdpLine[] = [];
  const media: { head: Omit<SdpMedia, 'lines'>; lines: SdpLine[] }[] = [];
  for (const row of rows) {
    const line = parseLine(row);
    if (line === undefined) continue;
    if (session.length === 0 && (line.type !== 'v' || line.value !== '0')) {
      throw new DecodeError('does not start with v=0', { offset: 0, clause: 'RFC 8866 §5.1' });
    }
    if (line.type === 'm') media.push({ head: parseMediaLine(line.value), lines: [] });
    else (media.at(-1)?.lines ?? session).push(line);
    if (media.length > limits.maxMedia) throw tooLarge(`more than ${limits.maxMedia} media`);
  }
  if (session.length === 0) throw new DecodeError('no session description', { clause: 'RFC 8866 §5' });
  return { lines: session, media: media.map(({ head, lines }) => ({ ...head, lines })) };
}

/** The octets of a description. Throws InvariantError for a value that would break the line structure. */
export function encodeSdp(sdp: Sdp): Uint8Array {
  let text = formatLines(sdp.lines);
  for (const { media, port, protocol, formats, lines } of sdp.media) {
    text += formatLines([
      { type: 'm', value: `${media} ${port} ${protocol} ${formats}`.trimEnd() },
      ...lines,
    ]);
  }
  return Buffer.from(text, 'utf8');
}

/** The value of the first attribute of that name; the empty string for a flag (`a=sendonly`), undefined when absent. */
export function sdpAttribute(lines: readonly SdpLine[], name: string): string | undefined {
  for (const { type, value } of lines) {
    if (type !== 'a' || !value.startsWith(name)) continue;
    if (value.length === name.length) return '';
    if (value.charCodeAt(name.length) === 0x3a) return value.slice(name.length + 1).trim();
  }
  return undefined;
}

/** The connection address that holds for a media: its own `c=` line, else the session's. IPv6 without brackets. */
export function connectionAddress(sdp: Sdp, media: SdpMedia): string | undefined {
  const line = media.lines.find(({ type }) => type === 'c') ?? sdp.lines.find(({ type }) => type === 'c');
  const address = /^IN +IP[46] +([^\s/]+)/i.exec(line?.value ?? '');
  return address?.[1];
}

/** `IN IP4 192.0.2.1` or `IN IP6 2001:db8::1`; a host name counts as IPv4, brackets are dropped. */
export function networkAddress(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return `IN ${bare.includes(':') ? 'IP6' : 'IP4'} ${bare}`;
}

function parseLine(row: string): SdpLine | undefined {
  const line = row.endsWith('\r') ? row.slice(0, -1) : row;
  if (line === '') return undefined;
  if (!/^[A-Za-z]=/.test(line) || line.includes('\r') || line.includes('\0')) {
    throw new DecodeError('a line that is not type=value', { clause: 'RFC 8866 §5' });
  }
  return { type: line.charAt(0), value: line.slice(2) };
}

function parseMediaLine(value: string): Omit<SdpMedia, 'lines'> {
  const [, media, port, protocol, formats = ''] = MEDIA_LINE.exec(value.trimEnd()) ?? [];
  if (media === undefined || port === undefined || protocol === undefined || Number(port) > 65_535) {
    throw new DecodeError('a malformed m= line', { clause: 'RFC 8866 §5.14' });
  }
  return { media, port: Number(port), protocol, formats };
}

function formatLines(lines: readonly SdpLine[]): string {
  let text = '';
  for (const { type, value } of lines) {
    if (!/^[a-z]$/i.test(type) || /[\r\n\0]/.test(value)) {
      throw new InvariantError(`SDP line ${JSON.stringify(`${type}=${value}`)} cannot be written`);
    }
    text += `${type}=${value}\r\n`;
  }
  return text;
}

function tooLarge(what: string): DecodeError {
  return new DecodeError(`a session description of ${what}`, { code: 'limitExceeded' });
}
