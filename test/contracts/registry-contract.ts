/** What every Registry must do, whatever it keeps its records in. Run by a test file per adapter. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Binding } from '../../src/registry/binding.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import type { Registry } from '../../src/registry/ports.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { Terminal, User } from '../../src/registry/user.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const BOB = publicUserIdentity('sip:bob@example.test');
const IMEI = deviceIdentity('imei', '904201560257630');
const NOON = 1_700_000_000_000;

const own = (id: PublicUserIdentity, more: Partial<User> = {}): Omit<User, 'terminals'> => ({
  id,
  aliases: [],
  policy: { target: 'all-subscribed' },
  ...more,
});

const terminal = (user: PublicUserIdentity, name: string, more: Partial<Terminal> = {}): Terminal => ({
  id: terminalId(user, name),
  user,
  name,
  identities: [],
  activation: [{ bearer: 'sip' }, { bearer: 'sms', address: '+43664' }],
  preferences: { quiet: [22, 6] },
  capabilities: {},
  origin: 'provisioned',
  ...more,
});

const binding = (key: string, more: Partial<Binding> = {}): Binding => ({
  user: ALICE,
  key,
  contact: `sip:alice@192.0.2.1;key=${key}`,
  path: ['<sip:edge.example.test;lr>'],
  callId: 'call-1',
  cseq: 1,
  expiresAt: NOON + 60_000,
  registeredAt: NOON,
  features: { '+g.oma.pusheventapp': 'push.sia' },
  flow: { transport: 'udp', address: '192.0.2.1', port: 5060, node: 'n1' },
  ...more,
});

const keysOf = (bindings: readonly Binding[]) => bindings.map(({ key }) => key);
const conflict = expect.objectContaining({ name: 'RefusedError', code: 'conflict' });

/** `makeRegistry` gives an empty one that reads its time from `clock`. */
export function registryContract(
  name: string,
  makeRegistry: (clock: { now(): number }) => Registry | Promise<Registry>,
): void {
  describe(`${name} as a registry`, () => {
    const clock = { time: NOON, now: () => clock.time };
    let registry: Registry;

    beforeEach(async () => {
      clock.time = NOON;
      registry = await makeRegistry(clock);
    });

    describe('users', () => {
      it('are found as they were put', async () => {
        const sip = { username: 'alice', realm: 'example.test', ha1: { md5: 'a', sha256: 'b' } };
        await registry.putUser(own(ALICE, { sip, aliases: ['tel:+431'] }));
        expect(await registry.findUser(ALICE)).toEqual({
          ...own(ALICE, { sip, aliases: ['tel:+431'] }),
          terminals: [],
        });
      });

      it('are found by their aliases', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431', 'mailto:a@example.test'] }));
        expect((await registry.findUser('mailto:a@example.test'))?.id).toBe(ALICE);
      });

      it('are not found when nobody has the address', async () => {
        await registry.putUser(own(ALICE));
        expect(await registry.findUser(BOB)).toBeUndefined();
      });

      it('cannot take the alias of another user, and nothing of the attempt stays', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        await expect(registry.putUser(own(BOB, { aliases: ['tel:+432', 'tel:+431'] }))).rejects.toEqual(
          conflict,
        );
        expect(await registry.findUser(BOB)).toBeUndefined();
        expect(await registry.findUser('tel:+432')).toBeUndefined();
        expect((await registry.findUser('tel:+431'))?.id).toBe(ALICE);
      });

      it('that want the same alias at the same time do not both get it', async () => {
        const attempts = [ALICE, BOB].map((user) => registry.putUser(own(user, { aliases: ['tel:+431'] })));
        const outcomes = (await Promise.allSettled(attempts)).map(({ status }) => status).sort();
        expect(outcomes).toEqual(['fulfilled', 'rejected']);
      });

      it('cannot take the identity of another user as an alias', async () => {
        await registry.putUser(own(ALICE));
        await expect(registry.putUser(own(BOB, { aliases: [ALICE] }))).rejects.toEqual(conflict);
      });

      it('may be put again as they are', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        expect((await registry.findUser('tel:+431'))?.id).toBe(ALICE);
      });

      it('lose the aliases that they no longer name, for others to take', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        await registry.putUser(own(ALICE));
        expect(await registry.findUser('tel:+431')).toBeUndefined();
        await registry.putUser(own(BOB, { aliases: ['tel:+431'] }));
        expect((await registry.findUser('tel:+431'))?.id).toBe(BOB);
      });

      it('keep their terminals when they are replaced', async () => {
        await registry.putUser(own(ALICE));
        await registry.putTerminal(terminal(ALICE, 'phone'));
        await registry.putUser(own(ALICE, { policy: { target: 'connected-first' } }));
        const user = await registry.findUser(ALICE);
        expect(user?.policy.target).toBe('connected-first');
        expect(user?.terminals.map((one) => one.name)).toEqual(['phone']);
      });

      it('go with everything that is theirs', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        await registry.changeBindings(ALICE, { put: [binding('a')], remove: [] });
        expect(await registry.deleteUser(ALICE)).toBe(true);
        expect(await registry.findUser(ALICE)).toBeUndefined();
        expect(await registry.findUser('tel:+431')).toBeUndefined();
        expect(await registry.findTerminal(terminalId(ALICE, 'phone'))).toBeUndefined();
        expect(await registry.bindings(ALICE)).toEqual([]);
      });

      it('come back without their old terminals and identities', async () => {
        await registry.putUser(own(ALICE));
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        await registry.deleteUser(ALICE);
        await registry.putUser(own(ALICE));
        expect((await registry.findUser(ALICE))?.terminals).toEqual([]);
        await registry.putTerminal(terminal(ALICE, 'other', { identities: [IMEI] }));
        expect((await registry.findUser(ALICE))?.terminals.map((one) => one.name)).toEqual(['other']);
      });

      it('that are not there cannot be deleted', async () => {
        expect(await registry.deleteUser(ALICE)).toBe(false);
      });

      it('are not deleted by an alias', async () => {
        await registry.putUser(own(ALICE, { aliases: ['tel:+431'] }));
        expect(await registry.deleteUser(publicUserIdentity('tel:+431'))).toBe(false);
        expect((await registry.findUser(ALICE))?.id).toBe(ALICE);
      });

      it('are listed page by page, each once', async () => {
        const ids = ['a', 'b', 'c', 'd', 'e'].map((user) => publicUserIdentity(`sip:${user}@example.test`));
        for (const id of ids) await registry.putUser(own(id));
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await registry.listUsers({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
          expect(page.users.length).toBeLessThanOrEqual(2);
          seen.push(...page.users.map(({ id }) => id));
          cursor = page.cursor;
        } while (cursor !== undefined);
        expect(seen.sort()).toEqual([...ids].sort());
      });
    });

    describe('terminals', () => {
      beforeEach(async () => {
        await registry.putUser(own(ALICE));
        await registry.putUser(own(BOB));
      });

      it('are found by their id as they were put', async () => {
        const phone = terminal(ALICE, 'phone', { identities: [IMEI], subscriptions: ['x:a'] });
        await registry.putTerminal(phone);
        expect(await registry.findTerminal(phone.id)).toEqual(phone);
        expect(await registry.findOwner(phone.id)).toEqual(await registry.findUser(phone.user));
      });

      it('are changed from what is stored, or made when there is nothing', async () => {
        const phone = terminal(ALICE, 'phone');
        const made = await registry.changeTerminal(ALICE, phone.id, (before) => {
          expect(before).toBeUndefined();
          return phone;
        });
        expect(made).toEqual({ before: undefined, terminal: phone });
        const returned = { preference: { information: { x: 1 }, version: 1, at: NOON } };
        const changed = await registry.changeTerminal(ALICE, phone.id, (before) => ({
          ...(before ?? phone),
          returned,
        }));
        expect(changed).toEqual({ before: phone, terminal: { ...phone, returned } });
        expect(await registry.findTerminal(phone.id)).toEqual({ ...phone, returned });
      });

      it('lose no change of two that are made at the same time', async () => {
        const phone = terminal(ALICE, 'phone', { capabilities: {} });
        await registry.putTerminal(phone);
        const names = Array.from({ length: 8 }, (_, index) => `feature-${index}`);
        await Promise.all(
          names.map((name) =>
            registry.changeTerminal(ALICE, phone.id, (before = phone) => ({
              ...before,
              capabilities: { ...before.capabilities, [name]: true },
            })),
          ),
        );
        const stored = await registry.findTerminal(phone.id);
        expect(Object.keys(stored?.capabilities ?? {}).sort()).toEqual(names);
      });

      it('are not changed into one that takes the identity of another', async () => {
        await registry.putTerminal(terminal(ALICE, 'pc', { identities: [IMEI] }));
        const phone = terminal(ALICE, 'phone', { identities: [IMEI] });
        await expect(registry.changeTerminal(ALICE, phone.id, () => phone)).rejects.toEqual(conflict);
      });

      it('stand with their user', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone'));
        await registry.putTerminal(terminal(ALICE, 'pc'));
        expect((await registry.findUser(ALICE))?.terminals.map((one) => one.name)).toEqual(['pc', 'phone']);
      });

      it('need a user', async () => {
        const nobody = publicUserIdentity('sip:nobody@example.test');
        await expect(registry.putTerminal(terminal(nobody, 'phone'))).rejects.toEqual(
          expect.objectContaining({ code: 'notFound' }),
        );
      });

      it('cannot share an identity within a user, however it is spelt (SIR-24)', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        const respelt = deviceIdentity('imei', 'urn:gsma:imei:90420156-025763-7');
        await expect(registry.putTerminal(terminal(ALICE, 'pc', { identities: [respelt] }))).rejects.toEqual(
          conflict,
        );
        expect((await registry.findUser(ALICE))?.terminals.map((one) => one.name)).toEqual(['phone']);
      });

      it('cannot have the instance of another terminal behind a GRUU (SIR-12, SIR-24)', async () => {
        const uuid = deviceIdentity('uuid', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6');
        const gruu = deviceIdentity('gruu', `${ALICE};gr=urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6`);
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [uuid, gruu] }));
        await expect(registry.putTerminal(terminal(ALICE, 'pc', { identities: [gruu] }))).rejects.toEqual(
          conflict,
        );
      });

      it('may have an identity that a terminal of another user has', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        await registry.putTerminal(terminal(BOB, 'phone', { identities: [IMEI] }));
        expect((await registry.findTerminal(terminalId(BOB, 'phone')))?.identities).toEqual([IMEI]);
      });

      it('may be replaced, keeping their own identities', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI], subscriptions: [] }));
        expect((await registry.findTerminal(terminalId(ALICE, 'phone')))?.subscriptions).toEqual([]);
      });

      it('give up the identities that they no longer have', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        await registry.putTerminal(terminal(ALICE, 'phone'));
        await registry.putTerminal(terminal(ALICE, 'pc', { identities: [IMEI] }));
        expect((await registry.findTerminal(terminalId(ALICE, 'pc')))?.identities).toEqual([IMEI]);
      });

      it('give their identities up when they are deleted', async () => {
        await registry.putTerminal(terminal(ALICE, 'phone', { identities: [IMEI] }));
        expect((await registry.findOwner(terminalId(ALICE, 'phone')))?.id).toBe(ALICE);
        expect(await registry.deleteTerminal(ALICE, terminalId(ALICE, 'phone'))).toBe(true);
        expect(await registry.findTerminal(terminalId(ALICE, 'phone'))).toBeUndefined();
        expect(await registry.findOwner(terminalId(ALICE, 'phone'))).toBeUndefined();
        await registry.putTerminal(terminal(ALICE, 'pc', { identities: [IMEI] }));
        expect((await registry.findUser(ALICE))?.terminals.map((one) => one.name)).toEqual(['pc']);
      });

      it('take their bindings with them', async () => {
        const phone = terminal(ALICE, 'phone');
        await registry.putTerminal(phone);
        await registry.changeBindings(ALICE, {
          put: [binding('a', { terminal: phone.id }), binding('b')],
          remove: [],
        });
        await registry.deleteTerminal(ALICE, phone.id);
        expect(keysOf(await registry.bindings(ALICE))).toEqual(['b']);
      });

      it('that are not there cannot be deleted', async () => {
        expect(await registry.deleteTerminal(ALICE, terminalId(ALICE, 'phone'))).toBe(false);
      });

      it('of two puts at once with one identity only one is stored', async () => {
        const attempts = ['phone', 'pc'].map((one) =>
          registry.putTerminal(terminal(ALICE, one, { identities: [IMEI] })),
        );
        const outcomes = (await Promise.allSettled(attempts)).map(({ status }) => status).sort();
        expect(outcomes).toEqual(['fulfilled', 'rejected']);
        expect((await registry.findUser(ALICE))?.terminals).toHaveLength(1);
      });
    });

    describe('bindings', () => {
      beforeEach(() => registry.putUser(own(ALICE)));

      it('are found as they were put, newest first', async () => {
        const older = binding('a');
        const newer = binding('b', { registeredAt: NOON + 1, q: 0.5, instance: 'urn:x:y', regId: 1 });
        const after = await registry.changeBindings(ALICE, { put: [older, newer], remove: [] });
        expect(after).toEqual([newer, older]);
        expect(await registry.bindings(ALICE)).toEqual([newer, older]);
      });

      it('are not shown once they lapsed', async () => {
        await registry.changeBindings(ALICE, {
          put: [binding('a'), binding('b', { expiresAt: NOON + 90_000 })],
          remove: [],
        });
        clock.time = NOON + 60_000;
        expect(keysOf(await registry.bindings(ALICE))).toEqual(['b']);
      });

      it('of the same key replace each other', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a')], remove: [] });
        const next = binding('a', { cseq: 2, contact: 'sip:alice@192.0.2.9' });
        expect(await registry.changeBindings(ALICE, { put: [next], remove: [] })).toEqual([next]);
      });

      it('can be removed', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a'), binding('b')], remove: [] });
        const after = await registry.changeBindings(ALICE, {
          put: [],
          remove: [{ key: 'a', callId: 'call-1', cseq: 2 }],
        });
        expect(keysOf(after)).toEqual(['b']);
      });

      for (const cseq of [1, 2]) {
        it(`refuse a put of the same Call-ID with CSeq ${cseq} after 2, and change nothing`, async () => {
          await registry.changeBindings(ALICE, { put: [binding('a', { cseq: 2 })], remove: [] });
          const change = {
            put: [binding('b', { cseq }), binding('a', { cseq, contact: 'sip:x@y' })],
            remove: [],
          };
          await expect(registry.changeBindings(ALICE, change)).rejects.toEqual(conflict);
          expect(await registry.bindings(ALICE)).toEqual([binding('a', { cseq: 2 })]);
        });
      }

      it('refuse a removal that is not newer, and change nothing', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a', { cseq: 2 })], remove: [] });
        const change = { put: [binding('b')], remove: [{ key: 'a', callId: 'call-1', cseq: 2 }] };
        await expect(registry.changeBindings(ALICE, change)).rejects.toEqual(conflict);
        expect(keysOf(await registry.bindings(ALICE))).toEqual(['a']);
      });

      it('of another Call-ID take any CSeq', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a', { cseq: 9 })], remove: [] });
        const next = binding('a', { callId: 'call-2', cseq: 1 });
        expect(await registry.changeBindings(ALICE, { put: [next], remove: [] })).toEqual([next]);
      });

      it('that lapsed stand in nobody’s way', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a', { cseq: 9 })], remove: [] });
        clock.time = NOON + 61_000;
        const next = binding('a', { cseq: 1, expiresAt: NOON + 120_000 });
        expect(await registry.changeBindings(ALICE, { put: [next], remove: [] })).toEqual([next]);
      });

      it('of one user are not those of another', async () => {
        await registry.changeBindings(ALICE, { put: [binding('a')], remove: [] });
        expect(await registry.bindings(BOB)).toEqual([]);
      });

      it('removing what is not there is no mistake', async () => {
        const remove = [{ key: 'a', callId: 'call-1', cseq: 1 }];
        expect(await registry.changeBindings(ALICE, { put: [], remove })).toEqual([]);
      });
    });
  });
}
