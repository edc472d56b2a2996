/** What terminals return, kept in versions (SIR-135). */
import { expect, it } from 'vitest';
import { terminalCapabilities } from '../../src/registry/capabilities.js';
import { withReturned } from '../../src/registry/returned-information.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal } from '../../src/registry/user.js';
import { ALICE } from '../support/pushes.js';

const phone: Terminal = {
  id: terminalId(ALICE, 'phone'),
  user: ALICE,
  name: 'phone',
  identities: [],
  activation: [],
  preferences: {},
  capabilities: {},
  origin: 'registered',
};

it('each kind has versions of its own', () => {
  const once = withReturned(phone, 'preference', { applications: {} }, 10);
  const twice = withReturned(once, 'preference', 'other', 20);
  const more = withReturned(twice, 'security', null, 30);
  expect(more.returned).toEqual({
    preference: { version: 2, at: 20, information: 'other' },
    security: { version: 1, at: 30, information: null },
  });
});

it('capabilities become part of the record of capabilities', () => {
  const told = withReturned(
    phone,
    'capability',
    { accept: ['text/plain'], maxMessageSize: 100, other: 1 },
    10,
  );
  expect(terminalCapabilities(told, [])).toMatchObject({
    accept: ['text/plain'],
    maxMessageSize: 100,
    sources: ['returned'],
  });
  expect(
    terminalCapabilities(withReturned(told, 'capability', { accept: ['image/png'] }, 20), []),
  ).toMatchObject({
    accept: ['image/png'],
    sources: ['returned'],
  });
});

it('capabilities that are no object state nothing', () => {
  expect(terminalCapabilities(withReturned(phone, 'capability', ['x'], 10), []).sources).toEqual([]);
});
