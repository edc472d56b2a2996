/**
 * The validity gate and the mapping are two XML parsers. Whatever passes the gate must mean the same to both, or an initiator
 * could have one thing checked and another one done.
 */
import { XmlDocument } from 'libxml2-wasm';
import { expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { parseXmlElement, type XmlElement } from '../../../src/protocols/xml/xml-element.js';
import { mutated } from '../../support/mutations.js';
import { papValidator } from '../../support/pap.js';
import { seededRandom } from '../../support/seeded-random.js';

const ROOTS = [
  '<pap product-name="a&amp;b"><push-message push-id=\'7>"\' source-reference="x\ty"><!-- a > b --><address address-value="&#x41;&lt;"/>\r\n<address address-value=""></address><?pi ?><quality-of-service network="&quot;"/></push-message></pap>',
  '<pap><push-message push-id="7"> a &amp; <!-- b -->c\r\nd<![CDATA[ &amp; <e> ]]>&#102;<?pi ?>g<address address-value="h"/>\ri &lt; </push-message></pap>',
  '<pap\n><cancel-message\tpush-id = "a/>"\n><address address-value="]]>&gt;"/></cancel-message\n></pap><!-- end -->',
];

interface Tree {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Tree[];
  readonly text: string;
}

function mapped(element: XmlElement): Tree {
  return {
    name: element.name,
    attributes: Object.fromEntries(element.attributes),
    children: element.children.map(mapped),
    text: element.text,
  };
}

/** What libxml2 understood, through its XPath functions. */
function validated(text: string): Tree {
  const document = XmlDocument.fromString(text);
  try {
    const read = (path: string): Tree => {
      const count = (expression: string) => Number(document.eval(`count(${expression})`));
      const attributes = Array.from({ length: count(`${path}/@*`) }, (_, index) => {
        const at = `${path}/@*[${index + 1}]`;
        return [String(document.eval(`name(${at})`)), String(document.eval(`string(${at})`))] as const;
      });
      return {
        name: String(document.eval(`name(${path})`)),
        attributes: Object.fromEntries(attributes),
        children: Array.from({ length: count(`${path}/*`) }, (_, index) => read(`${path}/*[${index + 1}]`)),
        text: Array.from({ length: count(`${path}/text()`) }, (_, index) =>
          String(document.eval(`string(${path}/text()[${index + 1}])`)),
        ).join(''),
      };
    };
    return read('/*');
  } finally {
    document.dispose();
  }
}

it.each(ROOTS)('agree on %j', (root) => {
  expect(mapped(parseXmlElement(root))).toEqual(validated(root));
});

it('agree on every mutation that is well-formed, valid or not', () => {
  const random = seededRandom(7);
  let agreed = 0;
  for (let round = 0; round < 8000; round += 1) {
    const text = mutated(Buffer.from(ROOTS[round % ROOTS.length] ?? ''), random).toString('latin1');
    if (!text.startsWith('<') || papValidator.check(text, '2.0')?.kind === 'malformed') continue;
    const tree = mappedOrRefused(text);
    if (tree === undefined) continue;
    agreed += 1;
    expect(tree).toEqual(validated(text));
  }
  expect(agreed).toBeGreaterThan(300);
});

function mappedOrRefused(text: string): Tree | undefined {
  try {
    return mapped(parseXmlElement(text));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
