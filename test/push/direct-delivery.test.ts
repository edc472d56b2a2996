/** A bearer that carries the push itself, as the lane sees it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionOutcome } from '../../src/lane/ports.js';
import { directWay } from '../../src/push/direct-delivery.js';
import type { Bearer, CarriedItem } from '../../src/push/ports.js';
import type { PushUid } from '../../src/push/push-message.js';
import { RecentPushes } from '../../src/push/recent-pushes.js';
import type { BearerName } from '../../src/registry/bearer-name.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { ActivationMethod, Terminal } from '../../src/registry/user.js';
import { BOB, PushStage, TO_BOB } from '../support/push-stage.js';

const BOBS = terminalId(BOB, 'phone');
const SMS: ActivationMethod = { bearer: 'sms', address: '+436641234567' };
const WSP: ActivationMethod = { bearer: 'wsp', address: '192.0.2.7:2948' };
const SI = Buffer.from(
  '<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">' +
    '<si><indication href="http://example.test/">One</indication></si>',
);

let stage: PushStage;
let carried: { bearer: string; item: CarriedItem; address: string | undefined }[];
let answer: ConnectionOutcome;
let activation: readonly ActivationMethod[];
/** Media types of documents whose text the bearers take. */
let readable: readonly string[];
beforeEach(() => {
  stage = new PushStage();
  carried = [];
  answer = { kind: 'handed', detail: '' };
  activation = [SMS, WSP];
  readable = [];
});

const bearer = (name: string): Bearer => ({
  wake: async () => ({ kind: 'handed', detail: '' }),
  carry: async (_terminal, item, address) => {
    carried.push({ bearer: name, item, address });
    return answer;
  },
  readsText: (_terminal, mediaType) => readable.includes(mediaType),
});

function way(uid: PushUid, method = 0) {
  const now = stage.clock.now();
  return directWay(
    BOBS,
    { method, entries: [{ id: uid, rank: 1 }], now },
    {
      pushes: new RecentPushes(stage.store),
      rules: [],
      costs: {},
      bearers: new Map<BearerName, Bearer>([
        ['sms', bearer('sms')],
        ['wsp', bearer('wsp')],
      ]),
      findOwner: async (id) => {
        const bob = stage.users.get(BOB);
        const reachable = (terminal: Terminal): Terminal => ({ ...terminal, activation });
        return bob?.terminals.some((one) => one.id === id)
          ? { ...bob, terminals: bob.terminals.map(reachable) }
          : undefined;
      },
    },
  );
}

async function send(uid: PushUid): Promise<string> {
  const found = await way(uid);
  if (!found) return 'no way';
  return (await stage.delivery().deliver(BOBS, uid, found.connection, await stage.token(BOBS))).kind;
}

describe('the way', () => {
  it('is that of the method asked for, round and round', async () => {
    const { uid } = await stage.submit({ addresses: [TO_BOB] });
    const bearers = await Promise.all(
      [0, 1, 2].map(async (method) => (await way(uid, method))?.connection.bearer),
    );
    expect(bearers).toEqual(['sms', 'wsp', 'sms']);
    expect((await way(uid))?.methods).toBe(2);
  });

  it('begins with the bearer that the push wishes', async () => {
    const quality = {
      priority: 'medium',
      deliveryMethod: 'notspecified',
      networkRequired: false,
      bearer: 'gprs',
      bearerRequired: false,
    } as const;
    const { uid } = await stage.submit({ addresses: [TO_BOB], quality });
    expect((await way(uid))?.connection.bearer).toBe('wsp');
  });

  it('is none where the method sends SIRs, or there is no terminal any more', async () => {
    const { uid } = await stage.submit({ addresses: [TO_BOB] });
    activation = [{ ...SMS, carries: 'sir' }];
    expect(await way(uid)).toBeUndefined();
    activation = [];
    expect(await way(uid)).toBeUndefined();
    stage.users.clear();
    expect(await way(uid)).toBeUndefined();
  });
});

describe('what is carried', () => {
  it('is the content with its headers, to the address of the method', async () => {
    const headers = [{ name: 'X-Wap-Application-Id', value: 'mms.ua' }];
    const { uid } = await stage.submit({
      addresses: [TO_BOB],
      contentType: 'application/vnd.wap.mms-message',
      headers,
    });
    expect(await send(uid)).toBe('done');
    expect(carried).toMatchObject([
      {
        bearer: 'sms',
        address: SMS.address,
        item: { id: uid, contentType: 'application/vnd.wap.mms-message', headers, confirmation: 'wanted' },
      },
    ]);
  });

  it('is the text of a document where the terminal reads that by this way', async () => {
    readable = ['text/vnd.wap.si'];
    const contentType = 'text/vnd.wap.si; charset=utf-8';
    const { uid } = await stage.submit({ addresses: [TO_BOB], contentType, content: SI });
    await send(uid);
    expect(carried[0]?.item).toMatchObject({ contentType, content: Uint8Array.from(SI) });
  });

  it('is a document in its binary form', async () => {
    const { uid } = await stage.submit({ addresses: [TO_BOB], contentType: 'text/vnd.wap.si', content: SI });
    await send(uid);
    expect(carried[0]?.item.contentType).toBe('application/vnd.wap.sic');
    expect(Buffer.from(carried[0]?.item.content ?? []).toString('hex')).toMatch(/^02056a/);
  });

  it('is a document as it is when its initiator forbids to transform it', async () => {
    const headers = [{ name: 'Cache-Control', value: 'no-transform' }];
    const { uid } = await stage.submit({
      addresses: [TO_BOB],
      contentType: 'text/vnd.wap.si',
      content: SI,
      headers,
    });
    await send(uid);
    expect(carried[0]?.item).toMatchObject({ contentType: 'text/vnd.wap.si', content: Uint8Array.from(SI) });
  });

  it('is nothing of a document that does not compile: the push ends with the reason', async () => {
    const { uid } = await stage.submit({
      addresses: [TO_BOB],
      contentType: 'text/vnd.wap.si',
      content: Buffer.from('<si/>'),
    });
    expect(await send(uid)).toBe('done');
    expect(carried).toEqual([]);
    expect((await stage.store.story(uid))?.deliveries[0]).toMatchObject({
      state: 'undeliverable',
      code: 3006,
    });
  });
});

it('what the bearer answers is what becomes of the push', async () => {
  const { uid } = await stage.submit({ addresses: [TO_BOB] });
  answer = { kind: 'awaited', detail: 'submitted' };
  expect(await send(uid)).toBe('parked');
  expect(await stage.state(uid, BOBS)).toBe('handed');
});
