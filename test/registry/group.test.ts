/** Groups from untrusted JSON. */
import { describe, expect, it } from 'vitest';
import { groupFromJson, MAX_MEMBERS } from '../../src/registry/group.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';

const FAMILY = publicUserIdentity('sip:family@example.test');
const from = (body: unknown) => groupFromJson(FAMILY, body);

describe('a group', () => {
  it('has its members in canonical form, each once', () => {
    const members = ['sip:alice@EXAMPLE.test;transport=tcp', 'tel:+43-664-1', 'sip:alice@example.test'];
    expect(from({ members })).toEqual({ id: FAMILY, members: ['sip:alice@example.test', 'tel:+436641'] });
  });

  it.each([
    ['members', {}],
    ['members', { members: [] }],
    ['members[1]', { members: ['sip:a@b.test', 5] }],
    ['members[0]', { members: ['alice'] }],
    ['members', { members: Array.from({ length: MAX_MEMBERS + 1 }, (_, index) => `tel:+${index}`) }],
    ['members', { members: [FAMILY] }],
    ['body', { members: ['tel:+431'], owner: 'x' }],
    ['body', null],
  ])('is refused with the path %s', (path, body) => {
    expect(() => from(body)).toThrow(new RegExp(`${path.replace(/[[\]]/g, '\\$&')}: `));
  });
});
