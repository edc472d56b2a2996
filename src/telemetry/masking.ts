/**
 * The last look at every log line before it is written: the serial part of hardware numbers (IMEI, MEID, MAC address) is
 * starred wherever and however it is spelled, percent-escaped URNs of PAP addresses included, and the values of fields that
 * hold secrets are left out. Almost every line has neither and passes two tests.
 */

const COLON = '(?::|%3a)';
const IMEI = new RegExp(`(urn${COLON}gsma${COLON}imei(?:sv)?${COLON}[0-9]{8})-?[0-9][0-9-]{0,11}`, 'gi');
const MEID = new RegExp(
  `(urn${COLON}device-id${COLON}meid${COLON}[0-9a-f]{8})-?[0-9a-f][0-9a-f-]{0,9}`,
  'gi',
);
const MAC_URN = new RegExp(`(urn${COLON}dev${COLON}mac${COLON}[0-9a-f]{6})[0-9a-f]{6,10}`, 'gi');
/** Written out, with colons or hyphens: EUI-48 or EUI-64 between two things that are neither digits nor separators. */
const MAC_WRITTEN =
  /(?<![0-9a-f:-])([0-9a-f]{2}([:-])[0-9a-f]{2}\2[0-9a-f]{2})(?:\2[0-9a-f]{2}){3}(?:(?:\2[0-9a-f]{2}){2})?(?![0-9a-f:-])/gi;
/** Cheap test that most lines fail. */
const SUSPICIOUS = /imei|meid|mac|[0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}/i;

/** Names of fields whose values are never written, wherever they stand. */
const SECRET_NAME = /^(?:authorization|proxy-authorization|cookie|password|token|secret)$/i;
const HAS_SECRET = /"(?:authorization|proxy-authorization|cookie|password|token|secret)":/i;

/** The line without secrets and with hardware numbers starred; one JSON object still. */
export function maskLine(line: string): string {
  const safe = HAS_SECRET.test(line) ? withoutSecrets(line) : line;
  return SUSPICIOUS.test(safe) ? starred(safe) : safe;
}

function withoutSecrets(line: string): string {
  const censor = (name: string, value: unknown) => (SECRET_NAME.test(name) ? '[redacted]' : value);
  return `${JSON.stringify(JSON.parse(line), censor)}\n`;
}

/** No quotes or escapes are touched. */
function starred(line: string): string {
  return line
    .replace(IMEI, '$1******')
    .replace(MEID, '$1******')
    .replace(MAC_URN, '$1******')
    .replace(MAC_WRITTEN, '$1$2**');
}
