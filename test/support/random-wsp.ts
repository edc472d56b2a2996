/** Random WTP and WSP session PDUs from a seed, for the round trips and for the dissector. */
import { parseContentType } from '../../src/protocols/mime/content-type.js';
import type { PushContents, WspCapabilities, WspHeader, WspPdu } from '../../src/protocols/wsp/index.js';
import { TPI_OPTION, TPI_SEQUENCE_NUMBER, type Tpi, type WtpPdu } from '../../src/protocols/wtp/index.js';
import type { SeededRandom } from './seeded-random.js';

const HEADERS: readonly WspHeader[] = [
  { name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' },
  { name: 'Push-Flag', value: '6' },
  { name: 'Accept', value: 'application/vnd.wap.sic' },
  { name: 'User-Agent', value: 'Carillon-terminal' },
  { name: 'X-Push-Id', value: '4f0c9a7be1d24f0c9a7be1d24f0c9a7b' },
  { name: 'Encoding-Version', value: '1.3' },
  { name: 'Content-Length', value: '93' },
];
/** The dissector shows larger numbers as 100,000,000. */
const MOST = 100_000_000;
// Types whose content the dissector does not look into.
const TYPES = ['image/vnd.wap.wbmp', 'text/plain; charset=utf-8', 'application/x-of-our-own'];

export function randomWtp(random: SeededRandom): WtpPdu {
  const { pick, octets, flag } = from(random);
  const trailers = { isGroupTrailer: flag(), isTrailer: flag(), isRetransmission: flag() };
  const common = { transactionId: random.below(0x1_0000), tpis: tpis(random) };
  const payload = octets(random.below(60));
  switch (pick(['invoke', 'result', 'ack', 'abort', 'segmented', 'negative-ack'] as const)) {
    case 'invoke':
      return {
        kind: 'invoke',
        ...common,
        ...trailers,
        version: random.below(4),
        isNewTid: flag(),
        wantsUserAck: flag(),
        transactionClass: pick([0, 1, 2] as const),
        payload,
      };
    case 'result':
      return { kind: 'result', ...common, ...trailers, payload };
    case 'ack':
      return { kind: 'ack', ...common, isTidVerification: flag(), isRetransmission: flag() };
    case 'abort':
      return { kind: 'abort', ...common, by: pick(['provider', 'user'] as const), reason: random.below(256) };
    case 'segmented':
      return {
        kind: pick(['segmented-invoke', 'segmented-result'] as const),
        ...common,
        ...trailers,
        sequenceNumber: random.below(256),
        payload,
      };
    case 'negative-ack':
      return {
        kind: 'negative-ack',
        ...common,
        isRetransmission: flag(),
        missing: [...octets(random.below(6))],
      };
  }
}

export function randomWsp(random: SeededRandom): WspPdu {
  const { pick, octets, flag } = from(random);
  const sessionId = random.below(MOST);
  const session = () => ({ capabilities: capabilities(random), headers: headers(random) });
  const contents = (): PushContents => ({
    contentType: parseContentType(pick(TYPES)),
    headers: headers(random),
    body: octets(random.below(200)),
  });
  const uri = 'http://m.example.org/n/7';
  switch (
    pick(['connect', 'connect-reply', 'redirect', 'id', 'resume', 'push', 'reply', 'get', 'post'] as const)
  ) {
    case 'connect':
      return { kind: 'connect', version: 0x10, ...session() };
    case 'connect-reply':
      return { kind: 'connect-reply', sessionId, ...session() };
    case 'redirect':
      return {
        kind: 'redirect',
        isPermanent: flag(),
        reusesSecuritySession: flag(),
        addresses: Array.from({ length: 1 + random.below(3) }, () => ({
          bearer: 0x0b,
          port: 1 + random.below(65_535),
          address: octets(pick([4, 16])),
        })),
      };
    case 'id':
      return { kind: pick(['disconnect', 'suspend'] as const), sessionId };
    case 'resume':
      return { kind: 'resume', sessionId, ...session() };
    case 'push':
      return { kind: pick(['push', 'confirmed-push'] as const), ...contents() };
    case 'reply':
      return { kind: 'reply', status: pick([0x20, 0x44, 0x61]), ...(flag() ? { contents: contents() } : {}) };
    case 'get':
      return {
        kind: 'get',
        method: pick(['GET', 'OPTIONS', 'HEAD', 'DELETE', 'TRACE'] as const),
        uri,
        headers: headers(random),
      };
    case 'post':
      return { kind: 'post', method: pick(['POST', 'PUT'] as const), uri, ...contents() };
  }
}

function tpis(random: SeededRandom): readonly Tpi[] {
  const { octets } = from(random);
  return Array.from({ length: random.below(3) }, () =>
    random.below(2) === 0
      ? { identity: TPI_SEQUENCE_NUMBER, value: octets(1) }
      : { identity: TPI_OPTION, value: Uint8Array.of(1 + random.below(4), ...octets(1 + random.below(4))) },
  );
}

function headers(random: SeededRandom): readonly WspHeader[] {
  return HEADERS.filter(() => random.below(2) === 0);
}

function capabilities(random: SeededRandom): WspCapabilities {
  const number = <Name extends string>(name: Name, most: number) =>
    (random.below(2) === 0 ? {} : { [name]: random.below(most) }) as { readonly [N in Name]?: number };
  return {
    ...number('clientSduBytes', MOST),
    ...number('serverSduBytes', MOST),
    ...number('protocolOptions', 256),
    ...number('methodMor', 256),
    ...number('pushMor', 256),
    others: random.below(3) === 0 ? [{ identifier: 'x-of-our-own', value: Uint8Array.of(1, 2) }] : [],
  };
}

function from(random: SeededRandom) {
  return {
    pick: <T>(list: readonly T[]): T => list[random.below(list.length)] as T,
    octets: (size: number) => Uint8Array.from({ length: size }, () => random.below(256)),
    flag: () => random.below(2) === 0,
  };
}
