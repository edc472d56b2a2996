/** An explanation in words. */
import { expect, it } from 'vitest';
import { type ExplanationAnswer, explanationText } from '../../src/app/explanation-text.js';

const NOW: ExplanationAnswer = {
  user: 'sip:alice@example.test',
  multi: true,
  policy: 'all-subscribed',
  completion: 'any',
  settings: [
    { setting: 'terminals', value: ['phone', 'pc'], from: "the user's rule 1" },
    { setting: 'activate', value: { id: 'x' }, from: "the operator's rule 2" },
  ],
  sources: [{ source: 'presence', state: 'missing', detail: 'timeout' }],
  terminals: [
    {
      terminal: 'phone',
      selected: true,
      reasons: ['takes every application', "the user's rule 1 names it"],
      connection: 'none',
      quietUntil: '2026-03-01T10:00:00.000Z',
      ways: [
        {
          bearer: 'sip',
          carries: 'sir',
          reasons: ['number 1 of the activation methods'],
          sir: {
            mode: 'filtered',
            device: 'urn:uuid:1',
            identityIn: ['header', 'body'],
            reasons: ['filtered (B): nobody knows where it is'],
          },
        },
        { bearer: 'sms', address: '+4366412345', carries: 'content', reasons: ['number 2'] },
      ],
      leftOut: [{ bearer: 'ussd', address: '+4366412345', reason: 'the push requires another bearer' }],
    },
    {
      terminal: 'pc',
      selected: true,
      reasons: ['takes every application'],
      startsAt: '2026-03-01T08:00:30.000Z',
      hold: 'in repair',
      connection: 'session',
      ways: [],
      leftOut: [],
    },
    {
      terminal: 'pda',
      selected: false,
      reasons: ['not subscribed to x'],
      connection: 'none',
      ways: [],
      leftOut: [],
    },
  ],
};

it('names every terminal, every way, and the reason of each', () => {
  expect(explanationText(NOW).join('\n')).toBe(
    `
sip:alice@example.test has several terminals. Now, a push like this goes by the policy all-subscribed.
The first terminal that has it is enough.
Rules:
  terminals = phone, pc: the user's rule 1
  activate = {"id":"x"}: the operator's rule 2
Asked:
  presence: missing (timeout)
Terminals:
  phone: yes: takes every application; the user's rule 1 names it
    it is not woken before 2026-03-01T10:00:00.000Z, but for urgent pushes
    1. a SIR by sip: number 1 of the activation methods
       filtered (B): nobody knows where it is
       names urn:uuid:1 in the To header and in the body
    2. the push itself by sms +4366412345: number 2
    not by ussd +4366412345: the push requires another bearer
  pc: yes: takes every application
    its turn comes at 2026-03-01T08:00:30.000Z
    on hold: in repair
    it has a push session: the push goes there, and nobody is woken
    nothing wakes it
  pda: no: not subscribed to x
`.trim(),
  );
});

it('says first what became of a push that was submitted', () => {
  const push = {
    pushId: 'p1',
    recipients: [
      {
        address: 'WAPPUSH=alice/TYPE=USER@x',
        state: 'pending',
        decision: {
          user: NOW.user,
          policy: 'all-subscribed',
          terminals: [{ terminal: 'phone', selected: true, reasons: ['subscribed'] }],
        },
        deliveries: [
          {
            terminal: 'phone',
            state: 'held',
            wakes: [
              {
                at: '2026-03-01T08:00:00.000Z',
                bearer: 'sip',
                outcome: 'failed',
                detail: '480',
                reasons: ['routed (A): because'],
              },
            ],
          },
        ],
      },
      { address: 'WAPPUSH=bob/TYPE=USER@x', state: 'rejected', reason: 'nobody is known by this address' },
    ],
  };
  expect(explanationText({ ...NOW, terminals: [], refusal: 'nobody is there' }, push).slice(0, 10)).toEqual([
    'Push p1, as it was decided and as it went:',
    '  WAPPUSH=alice/TYPE=USER@x: pending',
    '    phone: yes: subscribed',
    '    phone: held',
    '      2026-03-01T08:00:00.000Z woken by sip: failed (480)',
    '        routed (A): because',
    '  WAPPUSH=bob/TYPE=USER@x: rejected (nobody is known by this address)',
    '',
    `${NOW.user} has several terminals. Now, a push like this goes by the policy all-subscribed.`,
    'The first terminal that has it is enough.',
  ]);
});
