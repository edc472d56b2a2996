/** What is known of a terminal's capabilities, out of everything that says something of it. */
import { describe, expect, it } from 'vitest';
import type { Binding } from '../../src/registry/binding.js';
import { profileOf, terminalCapabilities, withReport } from '../../src/registry/capabilities.js';
import { cpiReport } from '../../src/registry/cpi-report.js';
import type { Terminal } from '../../src/registry/user.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const NOON = 1_700_000_000_000;

const phone = (more: Partial<Terminal> = {}): Terminal => ({
  id: PHONE,
  user: ALICE,
  name: 'phone',
  identities: [],
  activation: [{ bearer: 'sip' }],
  preferences: {},
  capabilities: {},
  origin: 'provisioned',
  ...more,
});

const binding = (terminal: Terminal['id'], features: Readonly<Record<string, string>>): Binding => ({
  user: ALICE,
  terminal,
  key: terminal,
  contact: 'sip:alice@192.0.2.1',
  path: [],
  callId: 'c',
  cseq: 1,
  expiresAt: NOON,
  registeredAt: NOON,
  features,
  flow: { transport: 'udp', address: '192.0.2.1', port: 5060, node: 'n1' },
});

const cpi = (...headers: readonly (readonly [string, string])[]) =>
  cpiReport(
    headers.map(([name, value]) => ({ name, value })),
    NOON,
  );

describe('the record of a terminal', () => {
  it('of which nobody has said anything has no source', () => {
    const { sources, accept, maxMessageSize } = terminalCapabilities(phone(), []);
    expect({ sources, accept, maxMessageSize }).toEqual({ sources: [] });
  });

  it('has what was provisioned', () => {
    const known = terminalCapabilities(
      phone({
        capabilities: { accept: ['text/plain'], maxMessageSize: 1400, uaProfUrl: 'http://m.test/n1' },
      }),
      [],
    );
    expect(known).toMatchObject({
      accept: ['text/plain'],
      maxMessageSize: 1400,
      uaProfUrl: 'http://m.test/n1',
      sources: ['provisioned'],
    });
  });

  it('keeps keys that the gateway does not know', () => {
    const { other, sources } = terminalCapabilities(phone({ capabilities: { hologram: { depth: 3 } } }), []);
    expect({ other, sources }).toEqual({ other: { hologram: { depth: 3 } }, sources: [] });
  });

  it('passes over a known key of another shape', () => {
    const { accept, maxMessageSize } = terminalCapabilities(
      phone({ capabilities: { accept: 'text/plain', maxMessageSize: '1400' } }),
      [],
    );
    expect({ accept, maxMessageSize }).toEqual({});
  });

  it('has the features of its own registration, not those of another terminal', () => {
    const { pushFeatureTags, applicationIds, sources } = terminalCapabilities(phone(), [
      binding(PHONE, { '+g.oma.pusheventapp': 'mms.ua, ulp.ua', audio: '' }),
      binding(PC, { video: '' }),
    ]);
    expect({ pushFeatureTags, applicationIds, sources }).toEqual({
      pushFeatureTags: ['+g.oma.pusheventapp="mms.ua, ulp.ua"', 'audio'],
      applicationIds: ['mms.ua', 'ulp.ua'],
      sources: ['registered'],
    });
  });

  it('has the languages that a registration names, without those it excludes', () => {
    const { acceptLanguage } = terminalCapabilities(phone(), [binding(PHONE, { language: 'de,!fr,en' })]);
    expect(acceptLanguage).toEqual(['de', 'en']);
  });

  it('has what a profile says of pushes before what it says of pages', () => {
    const { accept, acceptCharset, maxMessageSize } = terminalCapabilities(
      phone({
        capabilities: {
          uaProf: {
            CcppAccept: ['text/html'],
            'Push-Accept': ['text/plain'],
            'CcppAccept-Charset': ['UTF-8'],
            'Push-MsgSize': '1400',
          },
        },
      }),
      [],
    );
    expect({ accept, acceptCharset, maxMessageSize }).toEqual({
      accept: ['text/plain'],
      acceptCharset: ['UTF-8'],
      maxMessageSize: 1400,
    });
  });

  it('takes what is provisioned before a report, and a report before the profile', () => {
    const report = cpi(['X-Wap-Push-MsgSize', '2000'], ['X-Wap-Push-Accept', 'image/*']);
    const reported = withReport(
      phone({
        capabilities: { accept: ['text/plain'], uaProf: { 'Push-MsgSize': '1', 'Push-Accept': ['x/y'] } },
      }),
      'cpi',
      report ?? { at: 0 },
    );
    const { accept, maxMessageSize, sources } = terminalCapabilities(reported, []);
    expect({ accept, maxMessageSize, sources }).toEqual({
      accept: ['text/plain'],
      maxMessageSize: 2000,
      sources: ['provisioned', 'cpi', 'uaProf'],
    });
  });

  it('forgets what an older report said', () => {
    const first = withReport(phone(), 'cpi', { at: 1, maxMessageSize: 10, accept: ['text/plain'] });
    const second = withReport(first, 'cpi', { at: 2, maxMessageSize: 20 });
    expect(terminalCapabilities(second, [])).not.toHaveProperty('accept');
  });

  it('becomes a profile in which corrections count', () => {
    const { url, attributes } = profileOf(
      terminalCapabilities(
        phone({
          capabilities: {
            accept: ['text/plain'],
            uaProfUrl: 'http://m.test/n1',
            uaProf: { 'Push-Accept': ['x/y'], ScreenSize: '240x320' },
          },
        }),
        [],
      ),
    );
    expect([url, Object.fromEntries(attributes)]).toEqual([
      'http://m.test/n1',
      { 'Push-Accept': ['text/plain'], ScreenSize: '240x320' },
    ]);
  });
});

describe('headers of OTA-HTTP', () => {
  it('are a report of what the terminal takes', () => {
    expect(
      cpi(
        ['X-Wap-Push-Accept', 'text/plain;q=0.5, image/*'],
        ['x-wap-push-accept', 'application/vnd.wap.sic'],
        ['X-Wap-Push-Accept-Charset', 'utf-8'],
        ['X-Wap-Push-Accept-Encoding', 'gzip'],
        ['X-Wap-Push-Accept-Language', 'de,en'],
        ['X-Wap-Push-Accept-AppID', '*'],
        ['X-Wap-Push-MaxMsgSize', '1400'],
        ['X-Wap-Push-Accept-MaxPushReq', '4'],
        ['X-Wap-CPITag', '1a2b3c4d'],
        ['X-Wap-Profile', '"http://m.test/n1.xml"'],
      ),
    ).toEqual({
      at: NOON,
      accept: ['text/plain', 'image/*', 'application/vnd.wap.sic'],
      acceptCharset: ['utf-8'],
      acceptEncoding: ['gzip'],
      acceptLanguage: ['de', 'en'],
      applicationIds: ['*'],
      maxMessageSize: 1400,
      maxPushRequests: 4,
      uaProfUrl: 'http://m.test/n1.xml',
      tag: '1a2b3c4d',
    });
  });

  it('that say nothing are no report', () => {
    expect(
      cpi(['X-Wap-Push-MsgSize', 'large'], ['X-Wap-Push-Accept', ' , '], ['Date', 'today']),
    ).toBeUndefined();
  });

  it('without end are cut', () => {
    expect(cpi(['X-Wap-Push-Accept', 'a/b,'.repeat(5000)])?.accept).toHaveLength(256);
  });
});
