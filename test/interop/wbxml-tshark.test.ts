/**
 * tshark as the second referee of the WBXML documents: pushed in WSP over UDP, they are dissected without a complaint into the
 * elements, attributes and texts that we meant.
 */
import { expect, it } from 'vitest';
import { CO } from '../../src/protocols/co/index.js';
import { CONNECTIVITY } from '../../src/protocols/connectivity/index.js';
import { EMN } from '../../src/protocols/emn/index.js';
import { parseContentType } from '../../src/protocols/mime/index.js';
import { SI } from '../../src/protocols/si/index.js';
import { SL } from '../../src/protocols/sl/index.js';
import type { DocumentType } from '../../src/protocols/wbxml/index.js';
import { encodePush } from '../../src/protocols/wsp/index.js';
import { parseXmlElement, type XmlElement } from '../../src/protocols/xml/index.js';
import type { ContentGrammar } from '../../src/push/content-conversion.js';
import { randomCo, randomEmn, randomProvisioning, randomSi, randomSl } from '../support/content.js';
import type { CapturedPacket } from '../support/pcap.js';
import { type SeededRandom, seededRandom } from '../support/seeded-random.js';
import { dissect, dissectFields } from '../support/tshark.js';

const SAMPLES = 100;

interface Case {
  readonly packet: CapturedPacket;
  readonly meant: XmlElement;
}

function cases<Value>(
  type: DocumentType<Value, ContentGrammar>,
  contentType: string,
  randomValue: (random: SeededRandom) => Value,
): readonly Case[] {
  const random = seededRandom(2948);
  return Array.from({ length: SAMPLES }, () => {
    const value = randomValue(random);
    const body = type.encode(value);
    const xml = Buffer.from(type.encodeXml(value)).toString();
    return {
      packet: {
        protocol: 'udp',
        sourcePort: 9200,
        destinationPort: 2948,
        payload: encodePush({
          transactionId: 1,
          contentType: parseContentType(contentType),
          headers: [],
          body,
        }),
      },
      meant: parseXmlElement(xml.slice(xml.indexOf('\n<', xml.indexOf('<!DOCTYPE')) + 1)),
    };
  });
}

/** Attributes that this version of the dissector lacks on the code page of applications; networks use them there. */
const NAMELESS: Readonly<Record<string, string>> = { '05': 'name', '06': 'value' };

interface Growing {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: Growing[];
  text: string;
}

/** The element that one frame's table of tokens describes: columns level, state, code page, token, rendering. */
function elementOf(frame: string): Growing | undefined {
  const open: Growing[] = [];
  let root: Growing | undefined;
  let attribute = '';
  for (const line of frame.split('\n')) {
    const [, state = '', , token = '', ...rest] = line.split('|');
    const rendering = rest.join('|').trim();
    const element = open.at(-1);
    if (state.trim() === 'Attr') {
      const [, name, value] = /^([a-z-]+)=(?:'(.*)')?$/.exec(rendering) ?? [];
      if (element === undefined || rendering === '') continue;
      if (/Known attrStart/.test(token)) {
        attribute = name ?? NAMELESS[token.trim().slice(-2)] ?? '';
        element.attributes.set(attribute, value ?? '');
      } else {
        const piece = rendering.replace(/^%DateTime: |^'|'$/g, '');
        element.attributes.set(attribute, (element.attributes.get(attribute) ?? '') + piece);
      }
    } else if (state.trim() === 'Tag') {
      const [, name] = /^<([a-z-]+)\/?>?$/.exec(rendering) ?? [];
      if (/Known Tag 0x/.test(token) && !/END/.test(token)) {
        const started: Growing = { name: name ?? '', attributes: new Map(), children: [], text: '' };
        root ??= started;
        element?.children.push(started);
        if (!rendering.endsWith('/>')) open.push(started);
      } else if (/STR_I/.test(token) && element !== undefined) {
        element.text += rendering.slice(1, -1);
      } else if (/^<\/|^\/>$/.test(rendering)) {
        open.pop();
      }
    }
  }
  return root;
}

async function seen(packets: readonly CapturedPacket[]): Promise<readonly (Growing | undefined)[]> {
  const text = await dissect(packets, ['-V']);
  return text
    .split(/^Frame \d+/m)
    .slice(1)
    .map(elementOf);
}

it.each<[string, readonly Case[]]>([
  ['SI', cases(SI, 'application/vnd.wap.sic', randomSi)],
  ['SL', cases(SL, 'application/vnd.wap.slc', randomSl)],
  ['CO', cases(CO, 'application/vnd.wap.coc', randomCo)],
  ['connectivity', cases(CONNECTIVITY, 'application/vnd.wap.connectivity-wbxml', randomProvisioning)],
])(`${SAMPLES} random documents of %s are seen as we meant them`, async (_, samples) => {
  expect(await seen(samples.map(({ packet }) => packet))).toEqual(samples.map(({ meant }) => meant));
});

it('mail notifications are seen as we meant them, but for the slash that the dissector adds to domains', async () => {
  // It has no name for the media type of EMN, so they go as WBXML of no stated kind: the document says what it is.
  const samples = cases(EMN, 'application/vnd.wap.wbxml', randomEmn);
  const unslashed = (element: XmlElement | Growing | undefined) =>
    [...(element?.attributes ?? [])].map(([name, value]) => [
      name,
      value.replaceAll(/(\.(?:com|net|org|edu))\/+/g, '$1'),
    ]);
  const elements = await seen(samples.map(({ packet }) => packet));
  expect(elements.map(unslashed)).toEqual(samples.map(({ meant }) => unslashed(meant)));
});

it('no document is called malformed', async () => {
  const packets = [
    ...cases(SI, 'application/vnd.wap.sic', randomSi),
    ...cases(SL, 'application/vnd.wap.slc', randomSl),
    ...cases(CO, 'application/vnd.wap.coc', randomCo),
    ...cases(EMN, 'application/vnd.wap.wbxml', randomEmn),
    ...cases(CONNECTIVITY, 'application/vnd.wap.connectivity-wbxml', randomProvisioning),
  ].map(({ packet }) => packet);
  const frames = await dissectFields(packets, [
    'wbxml.public_id.known',
    '_ws.malformed',
    '_ws.expert.severity',
  ]);
  expect(frames.map((frame) => frame.get('_ws.malformed'))).toEqual(packets.map(() => []));
  expect(frames.filter((frame) => frame.get('wbxml.public_id.known')?.length === 1)).toHaveLength(
    packets.length,
  );
});
