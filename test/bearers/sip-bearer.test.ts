/** What the answer to content by SIP MESSAGE means for the push (SIR-159). */
import { describe, expect, it } from 'vitest';
import { SipBearer } from '../../src/bearers/sip-bearer.js';
import type { SipHeader } from '../../src/protocols/sip/index.js';
import type { Binding } from '../../src/registry/binding.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import { aSir } from '../support/a-sir.js';

const ALICE = 'sip:alice@example.test' as PublicUserIdentity;
const PHONE = 't1' as TerminalId;
const terminal: Terminal = {
  id: PHONE,
  user: ALICE,
  name: 'phone',
  identities: [],
  activation: [{ bearer: 'sip' }],
  preferences: {},
  capabilities: {},
  origin: 'provisioned',
};

function bearerTo(
  status: number,
  { features = {}, headers = [] }: { features?: Binding['features']; headers?: readonly SipHeader[] } = {},
) {
  const binding: Binding = {
    user: ALICE,
    terminal: PHONE,
    key: 'k',
    contact: 'sip:alice@192.0.2.7:5070',
    path: [],
    callId: 'c',
    cseq: 1,
    expiresAt: 100,
    registeredAt: 1,
    features,
    flow: { transport: 'udp', address: '192.0.2.7', port: 5070, node: 'n1' },
  };
  const response = { kind: 'response', status, reason: 'R', headers, body: new Uint8Array() } as const;
  return new SipBearer(
    {
      stack: { request: async () => response, sizeOf: () => 500 },
      bindings: async () => [binding],
      findTerminal: async () => terminal,
      now: () => 1,
    },
    { ppgUri: 'sip:ppg@example.test', contactPoint: { address: '192.0.2.1', port: 5060 }, node: 'n1' },
  );
}

/** Sends content to a terminal that answers with `status`. */
async function outcome(status: number, features: Binding['features'] = {}) {
  const bearer = bearerTo(status, { features });
  const connection = await bearer.message(PHONE, { messageUntil: 100 });
  const item = {
    id: '1',
    contentType: 'text/plain',
    headers: [],
    content: new Uint8Array(3),
    expiresAt: 100,
    confirmation: 'wanted',
  } as const;
  return (await connection?.deliver(item))?.kind;
}

const ANNOUNCED = { '+g.oma.pusheventapp': '"push.sia"' };

describe('content by MESSAGE', () => {
  it('is confirmed by 2xx', async () => {
    expect(await outcome(200)).toBe('confirmed');
  });

  it.each([415, 406])('answered %i is refused by a terminal that announced pushes', async (status) => {
    expect(await outcome(status, ANNOUNCED)).toBe('refused');
  });

  it.each([415, 406])(
    'answered %i says only that this way is wrong for any other terminal',
    async (status) => {
      expect(await outcome(status)).toBe('lost');
    },
  );
});

describe('the answer to a SIR', () => {
  const wake = (status: number, headers: readonly SipHeader[] = []) =>
    bearerTo(status, { headers }).wake(terminal, aSir(), undefined);
  const REASON = { name: 'Reason', value: 'SIP;cause=480;text="The user wants it later"' };
  const LATER = { name: 'Retry-After', value: '300' };

  it.each([
    [200, 'handed'],
    [202, 'handed'],
    [404, 'failed'],
    [480, 'failed'],
    [603, 'refused'],
  ])('%i counts as %s (SIR-136)', async (status, kind) => {
    expect(await wake(status)).toMatchObject({ kind });
  });

  it('480 with a reason and a time is the terminal, which wants it later (SIR-136)', async () => {
    expect(await wake(480, [REASON, LATER])).toMatchObject({
      kind: 'deferred',
      retryAt: 300_001,
      detail: '480 R: The user wants it later',
    });
  });

  it.each([
    [480, '120', 120_001],
    [486, '18000;duration=3600', 3_600_001],
    [503, '60 (restarting)', 60_001],
    [503, '5', 5001],
    [500, '86400', 3_600_001],
    [503, '99999999999999999999', undefined],
    [503, 'soon', undefined],
    [503, '0', undefined],
    [503, 'Fri, 27 Nov 2026 10:00:00 GMT', undefined],
  ])(
    '%i with Retry-After: %s is not asked before %s, and the next method has its turn',
    async (status, value, retryAt) => {
      const outcome = await wake(status, [{ name: 'Retry-After', value }]);
      expect([outcome.kind, outcome.retryAt]).toEqual(['failed', retryAt]);
    },
  );

  it.each([[[REASON]], [[LATER]]])(
    '480 with less may be a proxy, and the next method is tried',
    async (headers) => {
      expect(await wake(480, headers)).toMatchObject({ kind: 'failed' });
    },
  );
});
