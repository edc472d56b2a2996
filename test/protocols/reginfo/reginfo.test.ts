/** Registration information: what is read of a document, what is refused, and the state that documents build up (RFC 3680, RFC 5628). */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/kernel/errors.js';
import {
  activeContacts,
  applyRegInfo,
  decodeRegInfo,
  REGINFO_LIMITS,
  type RegistrationView,
} from '../../../src/protocols/reginfo/index.js';
import { mutated } from '../../support/mutations.js';
import { seededRandom } from '../../support/seeded-random.js';

const NS = 'xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"';

const reginfo = (content: string, attributes = 'version="0" state="full"') =>
  Buffer.from(`<?xml version="1.0"?>\n<reginfo ${NS} ${attributes}>${content}</reginfo>`);
const registration = (content: string, attributes = 'aor="sip:alice@example.test" id="r" state="active"') =>
  `<registration ${attributes}>${content}</registration>`;
const contact = (id: string, state = 'active', more = '') =>
  `<contact id="${id}" state="${state}" event="registered"><uri>sip:${id}@192.0.2.1</uri>${more}</contact>`;

/** In the manner of an S-CSCF: GRUUs, a wildcarded identity and other things that nobody here knows. */
const CORE = reginfo(
  `${registration(
    `<contact id="76" state="active" event="registered" duration-registered="3600" expires="1200" q="0.8" callid="c1@ue" cseq="7" gr:extra="x">
       <uri>
         sip:[2001:db8::1]:5060;comp=sigcomp
       </uri>
       <display-name xml:lang="en">Alice</display-name>
       <unknown-param name="+sip.instance">"&lt;urn:gsma:imei:90420156-025763-0&gt;"</unknown-param>
       <unknown-param name="reg-id">1</unknown-param>
       <unknown-param name="+g.oma.pusheventapp">"push.sia"</unknown-param>
       <unknown-param name="audio"/>
       <gr:pub-gruu uri="sip:alice@example.test;gr=urn:gsma:imei:90420156-025763-0"/>
       <gr:temp-gruu uri="sip:tgruu.7hs==jd7@example.test;gr" first-cseq="5"/>
       <other xmlns="urn:example:later"><uri>sip:wrong@example.test</uri></other>
     </contact>
     <wildcardedIdentity xmlns="urn:3gpp:ns:extRegExp:1.0">sip:a!.*!@example.test</wildcardedIdentity>`,
  )}${registration('', 'aor="tel:+4366412345" id="t" state="init"')}`,
  'version="17" state="full"',
);

describe('a document is read', () => {
  it('with everything that tells one terminal from another', () => {
    expect(decodeRegInfo(CORE)).toEqual({
      version: 17,
      state: 'full',
      registrations: [
        {
          addressOfRecord: 'sip:alice@example.test',
          id: 'r',
          state: 'active',
          contacts: [
            {
              id: '76',
              state: 'active',
              event: 'registered',
              uri: 'sip:[2001:db8::1]:5060;comp=sigcomp',
              durationRegisteredSeconds: 3600,
              expiresSeconds: 1200,
              q: 0.8,
              callId: 'c1@ue',
              cseq: 7,
              parameters: [
                { name: '+sip.instance', value: '"<urn:gsma:imei:90420156-025763-0>"' },
                { name: 'reg-id', value: '1' },
                { name: '+g.oma.pusheventapp', value: '"push.sia"' },
                { name: 'audio', value: undefined },
              ],
              instance: 'urn:gsma:imei:90420156-025763-0',
              regId: 1,
              publicGruu: 'sip:alice@example.test;gr=urn:gsma:imei:90420156-025763-0',
              temporaryGruu: 'sip:tgruu.7hs==jd7@example.test;gr',
            },
          ],
        },
        { addressOfRecord: 'tel:+4366412345', id: 't', state: 'init', contacts: [] },
      ],
    });
  });

  it('under any prefix, and without what is optional', () => {
    const octets = Buffer.from(
      `<r:reginfo xmlns:r="urn:ietf:params:xml:ns:reginfo" version="3" state="partial">
        <r:registration aor="sip:a@b.test" id="1" state="terminated">
          <r:contact id="c" state="terminated" event="expired"><r:uri>sip:a@192.0.2.1</r:uri></r:contact>
        </r:registration></r:reginfo>`,
    );
    const [only] = decodeRegInfo(octets).registrations;
    expect(only?.contacts).toEqual([
      { id: 'c', state: 'terminated', event: 'expired', uri: 'sip:a@192.0.2.1', parameters: [] },
    ]);
  });

  it('with numbers that are none left out where they decide nothing', () => {
    const strange = contact('c', 'active', '<unknown-param name="reg-id">zero</unknown-param>');
    const [only] = decodeRegInfo(
      reginfo(registration(strange.replace('event=', 'q="2" event='))),
    ).registrations;
    expect(only?.contacts[0]).not.toHaveProperty('q');
    expect(only?.contacts[0]).not.toHaveProperty('regId');
  });
});

describe('a document is refused', () => {
  it.each([
    ['of another format', Buffer.from('<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b"/>')],
    ['in no namespace', Buffer.from('<reginfo version="0" state="full"/>')],
    ['without a version', reginfo('', 'state="full"')],
    ['with a version that is no number', reginfo('', 'version="one" state="full"')],
    ['in a state of its own', reginfo('', 'version="0" state="whole"')],
    ['with a registration that names nobody', reginfo(registration('', 'id="r" state="active"'))],
    ['with a registration without an id', reginfo(registration('', 'aor="sip:a@b" state="active"'))],
    ['with a registration in no state', reginfo(registration('', 'aor="sip:a@b" id="r"'))],
    [
      'with a contact without a URI',
      reginfo(registration('<contact id="1" state="active" event="created"/>')),
    ],
    ['with a contact in an unknown state', reginfo(registration(contact('1', 'sleeping')))],
    [
      'with a contact that expires at no time',
      reginfo(registration(contact('1').replace('event=', 'expires="-1" event='))),
    ],
    ['cut short', CORE.subarray(0, 400)],
    [
      'that declares an entity',
      Buffer.from(`<!DOCTYPE reginfo [<!ENTITY a "b">]><reginfo ${NS} version="0" state="full"/>`),
    ],
    ['that uses an entity of its own', reginfo('<registration aor="&a;" id="r" state="active"/>')],
  ])('%s', (_, octets) => {
    expect(() => decodeRegInfo(octets)).toThrow(DecodeError);
  });

  it.each([
    ['octets', { maxBytes: 100 }],
    ['elements', { maxElements: 5 }],
    ['registrations', { maxRegistrations: 1 }],
    ['contacts', { maxContacts: 0 }],
    ['parameters', { maxParameters: 3 }],
    ['characters of one value', { maxTextLength: 20 }],
  ])('over the limit of %s', (_, limits) => {
    expect(() => decodeRegInfo(CORE, { limits: { ...REGINFO_LIMITS, ...limits } })).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });

  it('or read, whatever is done to its octets', () => {
    const random = seededRandom(5628);
    for (let round = 0; round < 300; round += 1) {
      try {
        decodeRegInfo(mutated(CORE, random));
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('what documents build up', () => {
  const full = (...contacts: string[]) =>
    decodeRegInfo(
      reginfo(registration(contacts.map((id) => contact(id)).join('')), 'version="5" state="full"'),
    );
  const partial = (version: number, content: string) =>
    decodeRegInfo(reginfo(content, `version="${version}" state="partial"`));
  const start = applyRegInfo(undefined, full('a', 'b'))?.view as RegistrationView;
  const ids = (view: RegistrationView | undefined) => view && activeContacts(view).map(({ id }) => id);

  it('is what a full one says, whatever was known', () => {
    expect(ids(applyRegInfo(start, full('c'))?.view)).toEqual(['c']);
  });

  it('is what a full one says even under a version that is as old (Clearwater, Kamailio)', () => {
    const old = decodeRegInfo(reginfo(registration(contact('z'))));
    expect(applyRegInfo(start, old)).toMatchObject({ hasGap: false });
    expect(ids(applyRegInfo(start, old)?.view)).toEqual(['z']);
  });

  it('changes by what a partial one names, and keeps the rest', () => {
    const change = partial(6, registration(contact('b', 'terminated') + contact('c')));
    const applied = applyRegInfo(start, change);
    expect(applied?.hasGap).toBe(false);
    expect(ids(applied?.view)).toEqual(['a', 'c']);
  });

  it('has nobody left when the registration is terminated', () => {
    const gone = partial(6, registration('', 'aor="sip:alice@example.test" id="r" state="terminated"'));
    expect(ids(applyRegInfo(start, gone)?.view)).toEqual([]);
  });

  it('takes in a registration of another address', () => {
    const more = partial(6, registration(contact('m'), 'aor="tel:+43664" id="t" state="active"'));
    expect(ids(applyRegInfo(start, more)?.view)).toEqual(['a', 'b', 'm']);
  });

  it('has a gap when a partial one is missing before this one', () => {
    const late = partial(8, registration(contact('c')));
    expect(applyRegInfo(start, late)?.hasGap).toBe(true);
    expect(ids(applyRegInfo(start, late)?.view)).toEqual(['a', 'b', 'c']);
  });

  it.each([5, 4])('does not change by a partial one that is no newer (version %i)', (version) => {
    expect(applyRegInfo(start, partial(version, registration(contact('c'))))).toBeUndefined();
  });

  it('does not begin with a partial one', () => {
    expect(applyRegInfo(undefined, partial(1, registration(contact('c'))))).toBeUndefined();
  });

  it('does not count contacts of a registration that is not active', () => {
    const document = decodeRegInfo(
      reginfo(registration(contact('a'), 'aor="sip:a@b" id="r" state="terminated"')),
    );
    expect(ids(applyRegInfo(undefined, document)?.view)).toEqual([]);
  });

  it('does not grow without end, however small the documents are', () => {
    const limits = { maxRegistrations: 8, maxContacts: 3 };
    const two = partial(6, registration(contact('c') + contact('d')));
    expect(() => applyRegInfo(start, two, limits)).toThrow(
      expect.objectContaining({ code: 'limitExceeded' }),
    );
  });
});
