/**
 * Messages in the manner of RFC 4475: legal ones that few parsers expect have to reach the handler, broken ones get the
 * status that fits, and where we tolerate more than the RFC asks, that is stated too. Written anew, case by case.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { decodeSipMessage, headerValue, parseNameAddr, parseUri } from '../../../src/protocols/sip/index.js';
import { closeAll, openRawUdp, openStack } from './support.js';

afterEach(closeAll);

const ODD_METHOD = "!interesting-Method0123456789_*+`.%indeed'~";
const REACHED = 299;

/** Sends octets and returns the first response. */
async function answerTo(text: string) {
  const server = await openStack({}, (stack) => {
    for (const method of ['MESSAGE', 'REGISTER', ODD_METHOD]) {
      stack.onRequest(method, (request) => request.respond(REACHED));
    }
    stack.onInvite((invite) => invite.respond(486));
  });
  const peer = await openRawUdp();
  peer.send(Buffer.from(text, 'latin1'), server.udp);
  return decodeSipMessage(Buffer.from(await peer.inbox.next(), 'latin1'));
}

/** A request of the given lines; rport is what leads the answer back to the test. */
const request = (startLine: string, ...lines: string[]) => `${[startLine, ...lines].join('\r\n')}\r\n\r\n`;
const VIA = 'Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKkdjuw';
const rest = (method: string) => [
  VIA,
  'Max-Forwards: 70',
  'From: <sip:caller@example.com>;tag=1',
  'To: <sip:user@example.com>',
  `Call-ID: ${Math.random()}@example.com`,
  `CSeq: 8 ${method}`,
  'l: 0',
];
const message = (...lines: string[]) => request('MESSAGE sip:user@example.com SIP/2.0', ...lines);
const without = (lines: string[], name: string) => lines.filter((line) => !line.startsWith(name));

describe('legal, and understood', () => {
  test.each([
    [
      'an INVITE with every kind of blank and fold',
      request(
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :',
        ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        '  ;',
        '  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'Content-Length   : 0',
        'cseq: 0009',
        '  INVITE',
        'Via  : SIP  /   2.0',
        ' /UDP',
        '    127.0.0.1:9;branch=390skdjuw;rport',
        's :',
        'NewFangledHeader:   newfangled value',
        ' continued newfangled value',
        'UnknownHeaderWithUnusualValue: ;;,,;;,;',
        'Route:',
        ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
        '  branch  =   z9hG4bK9ikj8  ,',
        ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
        ' z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
        '      newvalue ;',
        '  secondparam ; q = 0.33',
      ),
      481, // its To has a tag of a dialog that we do not know
    ],
    [
      'a method and a URI of unusual characters',
      request(
        `${ODD_METHOD} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`,
        VIA.replace('kdjuw', "-.!%66*_+`'~"),
        'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
        `From: token1~\` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%="\xd1\x80\xd0\xb0";tag=_token~1'+\`*%!-.`,
        'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
        `CSeq: 139122385 ${ODD_METHOD}`,
        'Max-Forwards: 255',
        "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb",
        'Content-Length: 0',
      ),
      REACHED,
    ],
    [
      'escapes in URIs, also of reserved characters',
      request('MESSAGE sip:sips%3Auser%40example.com@example.net SIP/2.0', ...rest('MESSAGE')),
      REACHED,
    ],
    [
      'a zero octet as an escape',
      message(...without(rest('MESSAGE'), 'To'), 'To: sip:null-%00-null@example.com'),
      REACHED,
    ],
    [
      'percent signs that are no escapes where none are known',
      message(...without(rest('MESSAGE'), 'To'), 'To: "%Z%45" <sip:resource@example.com>'),
      REACHED,
    ],
    [
      'no blank between name and address',
      message(...without(rest('MESSAGE'), 'From'), 'From: caller<sip:caller@example.com>;tag=323'),
      REACHED,
    ],
    [
      'a semicolon and an escape in the user part',
      request('MESSAGE sip:user;par=u%40example.net@example.com SIP/2.0', ...rest('MESSAGE')),
      REACHED,
    ],
    [
      'long values everywhere',
      message(
        ...without(rest('MESSAGE'), 'To'),
        `To: "I have a user name of ${'extreme '.repeat(200)}proportion" <sip:${'u'.repeat(500)}@example.com:6000;${'p'.repeat(500)}=v>`,
        `Unknown-${'Long'.repeat(100)}-Name: ${'unknown-value '.repeat(200)}`,
        ...Array.from(
          { length: 30 },
          (_, index) => `Via: SIP/2.0/TCP sip${index}.example.com;branch=z9hG4bK${index}`,
        ),
      ),
      REACHED,
    ],
    [
      'transports that we have never heard of, further down',
      message(
        ...rest('MESSAGE'),
        'Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKa',
        'Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKb',
      ),
      REACHED,
    ],
    [
      'unknown schemes in From and Contact',
      message(
        ...without(rest('MESSAGE'), 'From'),
        'From: <http://www.example.com>;tag=1',
        'Contact: <name:Mr_Watson>',
      ),
      REACHED,
    ],
    [
      'OPTIONS without hops left',
      request('OPTIONS sip:user@example.com SIP/2.0', ...without(rest('OPTIONS'), 'Max')),
      200,
    ],
    ['a request without Max-Forwards', message(...without(rest('MESSAGE'), 'Max')), REACHED],
  ])('%s', async (_name, text, status) => {
    expect(await answerTo(text)).toMatchObject({ status });
  });

  test('two requests in one datagram are one request and octets to ignore', async () => {
    const first = message(...rest('MESSAGE'), 'X-Which: first');
    expect(await answerTo(first + message(...rest('MESSAGE')))).toMatchObject({ status: REACHED });
  });

  test('escapes are resolved in the value only, never on the wire', () => {
    const uri = parseUri('sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31');
    expect(uri).toMatchObject({ user: 'cal%6Cer', parameters: [{ name: '%6C%72' }, { name: 'n%61me' }] });
  });

  test('a reason phrase may be of any language or empty', () => {
    const text = 'SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\nCall-ID: 1\r\n\r\n';
    expect(decodeSipMessage(Buffer.from(text, 'latin1'))).toMatchObject({ reason: '= 2**3 * 5**2 но' });
  });

  test('a quoted name may hold what looks like an address', () => {
    const value = '"Evil <sip:other@example.org>;tag=x" <sip:user@example.com>;tag=1';
    expect(parseNameAddr(value)).toMatchObject({ uri: 'sip:user@example.com', parameters: [{ value: '1' }] });
  });
});

describe('broken, and told so', () => {
  test.each([
    [
      'a Content-Length beyond the datagram',
      message(...without(rest('MESSAGE'), 'l:'), 'Content-Length: 9999'),
      400,
    ],
    ['a negative Content-Length', message(...without(rest('MESSAGE'), 'l:'), 'Content-Length: -999'), 400],
    ['Content-Lengths that differ', message(...rest('MESSAGE'), 'Content-Length: 14'), 400],
    [
      'a CSeq out of range',
      message(...without(rest('MESSAGE'), 'CSeq'), 'CSeq: 36893488147419103232 MESSAGE'),
      400,
    ],
    ['Max-Forwards out of range', message(...without(rest('MESSAGE'), 'Max'), 'Max-Forwards: 300'), 400],
    [
      'a quote that never closes',
      message(...without(rest('MESSAGE'), 'To'), 'To: "Mr. J. User <sip:j.user@example.com>'),
      400,
    ],
    [
      'a Request-URI in angle brackets',
      request('MESSAGE <sip:user@example.com> SIP/2.0', ...rest('MESSAGE')),
      400,
    ],
    [
      'a blank inside the Request-URI',
      request('MESSAGE sip:user@example.com; lr SIP/2.0', ...rest('MESSAGE')),
      400,
    ],
    [
      'several blanks in the request line',
      request('MESSAGE  sip:user@example.com  SIP/2.0', ...rest('MESSAGE')),
      400,
    ],
    [
      'a blank behind the request line',
      request('MESSAGE sip:user@example.com SIP/2.0 ', ...rest('MESSAGE')),
      400,
    ],
    [
      'an escape in the method, which is another method',
      request('RE%47IST%45R sip:example.com SIP/2.0', ...rest('RE%47IST%45R')),
      405,
    ],
    ['another version', request('MESSAGE sip:user@example.com SIP/7.0', ...rest('MESSAGE')), 505],
    ['a CSeq of another method', message(...rest('INVITE')), 400],
    [
      'an unknown method and a CSeq of another',
      request('NEWMETHOD sip:user@example.com SIP/2.0', ...rest('INVITE')),
      400,
    ],
    [
      'an unknown scheme',
      request('MESSAGE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0', ...rest('MESSAGE')),
      416,
    ],
    [
      'a known scheme that is not ours',
      request('MESSAGE soap.beep://192.0.2.103:3002 SIP/2.0', ...rest('MESSAGE')),
      416,
    ],
    [
      'an extension that nobody supports',
      message(...rest('MESSAGE'), 'Require: nothingSupportsThis, nothingSupportsThisEither'),
      420,
    ],
    [
      'headers that may come once come twice',
      message(...rest('MESSAGE'), 'Call-ID: other', 'CSeq: 9 MESSAGE'),
      400,
    ],
    ['a request without hops left', message(...without(rest('MESSAGE'), 'Max'), 'Max-Forwards: 0'), 483],
    [
      'a request of RFC 2543 without From tag',
      message(...without(rest('MESSAGE'), 'From'), 'From: sip:iuser@example.com'),
      400,
    ],
  ])('%s', async (_name, text, status) => {
    expect(await answerTo(text)).toMatchObject({ status });
  });
});

describe('broken, and tolerated', () => {
  test.each([
    [
      'a display name that is no token',
      message(...without(rest('MESSAGE'), 'From'), 'From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43'),
    ],
    [
      'blanks inside angle brackets',
      message(...without(rest('MESSAGE'), 'To'), 'To: "Watson, Thomas" < sip:t.watson@example.org >'),
    ],
    [
      'superfluous semicolons',
      message(...without(rest('MESSAGE'), 'To'), 'To: <sip:t.watson@example.org>;;;'),
    ],
    [
      'headers in the Request-URI',
      request('MESSAGE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0', ...rest('MESSAGE')),
    ],
  ])('%s', async (_name, text) => {
    expect(await answerTo(text)).toMatchObject({ status: REACHED });
  });
});

test('the answer to a tortured request carries its headers as they came', async () => {
  const from = 'From: "J \\\\\\"" <sip:j@example.com>;tag=98asjd8;x="a;b"';
  const answer = await answerTo(message(...without(rest('MESSAGE'), 'From'), from));
  expect(headerValue(answer, 'from')).toBe(from.slice('From: '.length));
});
