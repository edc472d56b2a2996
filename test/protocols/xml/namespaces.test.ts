/** Names of an XML document split into namespace and local part, and what is refused on the way. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import { type QualifiedElement, readNamespacedXml } from '../../../src/protocols/xml/index.js';

const read = (text: string, more: { maxBytes?: number; maxElements?: number } = {}): QualifiedElement =>
  readNamespacedXml(Buffer.from(text), { doctypeName: 'a:r', maxBytes: 1000, maxElements: 5, ...more });

const name = ({ namespace, local }: { namespace: string; local: string }) => `{${namespace}}${local}`;

describe('names', () => {
  it('are in the namespace of their prefix', () => {
    expect(name(read('<a:r xmlns:a="urn:x"/>'))).toBe('{urn:x}r');
  });

  it('without a prefix are in the default namespace', () => {
    const root = read('<r xmlns="urn:x"><s/></r>');
    expect(root.children.map(name)).toEqual(['{urn:x}s']);
  });

  it('of attributes without a prefix are in none', () => {
    const root = read('<r xmlns="urn:x" b="1"/>');
    expect(root.attributes.map(name)).toEqual(['{}b']);
  });

  it('follow the innermost declaration, and the outer one again behind it', () => {
    const root = read('<a:r xmlns:a="urn:x"><a:s xmlns:a="urn:y"/><a:t/></a:r>');
    expect(root.children.map(name)).toEqual(['{urn:y}s', '{urn:x}t']);
  });

  it('may use the prefix xml without a declaration', () => {
    const root = read('<r xml:lang="de"/>');
    expect(root.attributes.map(name)).toEqual(['{http://www.w3.org/XML/1998/namespace}lang']);
  });
});

describe('a document is refused', () => {
  it.each([
    ['when a prefix is not declared', '<a:r/>'],
    ['when it is not well-formed', '<r><s></r>'],
    ['when it declares an entity', '<!DOCTYPE a:r [<!ENTITY e "x">]><r>&e;</r>'],
    ['when it refers to an entity that XML does not have', '<r>&e;</r>'],
    ['when it has more elements than allowed', '<r><a/><a/><a/><a/><a/></r>'],
    ['when it is larger than allowed', `<r>${'x'.repeat(1000)}</r>`],
    ['when it is nested too deeply', `${'<r>'.repeat(400)}${'</r>'.repeat(400)}`],
  ])('%s', (_, text) => {
    const limits = text.length > 2000 ? { maxBytes: 10_000, maxElements: 1000 } : {};
    expect(() => read(text, limits)).toThrow(DecodeError);
  });
});
