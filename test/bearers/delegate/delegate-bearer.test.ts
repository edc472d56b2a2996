/** A push that is handed to another gateway: what goes there, and what its answer means (SIR-78). */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DelegateBearer } from '../../../src/bearers/delegate/delegate-bearer.js';
import {
  delegatedPath,
  delegatedPushId,
  readDelegatedPath,
} from '../../../src/bearers/delegate/delegated-push.js';
import { loadPapValidator } from '../../../src/endpoints/pap/pap-dtds.js';
import { decodePapRequest } from '../../../src/endpoints/pap/pap-request.js';
import { DeliveryError } from '../../../src/kernel/errors.js';
import { encodePap, type PapOperation } from '../../../src/protocols/pap/index.js';
import type { CarriedItem } from '../../../src/push/ports.js';
import type { PushUid } from '../../../src/push/push-message.js';
import { deviceIdentity } from '../../../src/registry/device-identity.js';
import type { PublicUserIdentity } from '../../../src/registry/public-user-identity.js';
import type { Terminal } from '../../../src/registry/user.js';
import type { HttpRequest } from '../../../src/transports/guarded-http/guarded-http.js';
import { ALICE, PC, PHONE } from '../../support/pushes.js';

const KEY = new Uint8Array(32).fill(7);
const UID = '0123456789abcdef0123456789abcdef' as PushUid;
const PUSH = { uid: UID, terminal: PHONE };
const IMEI = 'urn:gsma:imei:35209900-176148-1';

const terminal: Terminal = {
  id: PHONE,
  user: ALICE,
  name: 'phone',
  identities: [deviceIdentity('imei', IMEI)],
  activation: [],
  preferences: {},
  capabilities: {},
  origin: 'provisioned',
};
const item: CarriedItem = {
  id: UID,
  contentType: 'image/png',
  headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }],
  content: Buffer.from([1, 2, 3]),
  expiresAt: 1_700_000_060_000,
  confirmation: 'required',
};

const validator = loadPapValidator();
afterAll(() => validator[Symbol.dispose]());

let asked: HttpRequest[];
let answer: PapOperation | number | Error;
beforeEach(() => {
  asked = [];
  answer = { kind: 'push-response', pushId: 'x', progressNotes: [], code: 1001 };
});

const bearer = new DelegateBearer(
  {
    validator,
    http: {
      request: async (request) => {
        asked.push(request);
        if (answer instanceof Error) throw answer;
        const isStatus = typeof answer === 'number';
        const body = isStatus ? new Uint8Array() : encodePap(answer as PapOperation, { version: '2.1' });
        return { status: isStatus ? (answer as number) : 202, headers: [], body };
      },
    },
  },
  {
    domain: 'example.test',
    key: KEY,
    delegates: [
      {
        name: 'ppg2',
        url: 'https://ppg2.example.test/pap',
        initiator: 'ppg1',
        password: 'se:cret',
        notifyUrl: 'https://ppg1.example.test',
      },
    ],
  },
);

describe('what goes to the other gateway', () => {
  it('is the push as it is, for that terminal, with where to report', async () => {
    expect(await bearer.carry(terminal, item, 'ppg2')).toMatchObject({ kind: 'awaited' });
    const [{ url, headers, body } = { url: '', headers: {} as Record<string, string>, body: undefined }] =
      asked;
    expect(url).toBe('https://ppg2.example.test/pap');
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('ppg1:se:cret').toString('base64')}`);
    const limits = { maxBytes: 65_536, maxAddresses: 10, maxContentBytes: 1000, maxCapabilitiesBytes: 1000 };
    const { document, entity } = decodePapRequest(
      { validator, limits },
      headers['content-type'],
      Buffer.from(body ?? []),
    );
    expect(document.operation).toMatchObject({
      kind: 'push-message',
      pushId: `${UID}.${PHONE}@example.test`,
      addresses: [`WAPPUSH=${encodeURIComponent(ALICE)}/device=${encodeURIComponent(IMEI)}/TYPE=USER`],
      deliverBeforeTimestamp: item.expiresAt,
      ppgNotifyRequestedTo: `https://ppg1.example.test/v1/delegated/${delegatedPath(PUSH, KEY)}`,
      qualityOfService: { deliveryMethod: 'confirmed' },
    });
    expect(Buffer.from(entity?.content ?? [])).toEqual(Buffer.from([1, 2, 3]));
    expect(entity?.headers).toContainEqual({
      name: 'X-Wap-Application-Id',
      value: 'x-wap-application:mms.ua',
    });
  });

  it('is for a telephone number when that is what the user is known by', async () => {
    const user = 'tel:+43664' as PublicUserIdentity;
    await bearer.carry({ ...terminal, user, identities: [] }, item, 'ppg2');
    expect(Buffer.from(asked[0]?.body ?? []).toString('latin1')).toContain('WAPPUSH=+43664/TYPE=PLMN');
  });
});

describe('the answer', () => {
  const response = (code: number): PapOperation => ({
    kind: 'push-response',
    pushId: 'x',
    progressNotes: [],
    code,
  });
  it.each<[string, PapOperation | number | Error, string]>([
    ['accepted', response(1001), 'awaited'],
    ['known already', response(2007), 'awaited'],
    ['refused', response(2003), 'refused'],
    [
      'not understood',
      { kind: 'badmessage-response', code: 2000, badMessageFragment: 'x' } as PapOperation,
      'refused',
    ],
    ['not possible now', response(4001), 'lost'],
    ['an HTTP error', 503, 'lost'],
    ['not PAP', 200, 'lost'],
    ['none', new DeliveryError('timeout', 'no answer'), 'lost'],
  ])('%s', async (_, given, kind) => {
    answer = given;
    expect((await bearer.carry(terminal, item, 'ppg2')).kind).toBe(kind);
  });

  it('of nobody: such a gateway is not configured', async () => {
    expect(await bearer.carry(terminal, item, 'ppg3')).toMatchObject({ kind: 'unfit' });
    expect(asked).toEqual([]);
  });
});

it('no SIR is sent from here', async () => {
  expect((await bearer.wake()).kind).toBe('failed');
});

describe('the path of a result', () => {
  const path = delegatedPath(PUSH, KEY);

  it('says which push it is of', () => {
    expect(readDelegatedPath(path, KEY)).toEqual(PUSH);
  });

  it.each([
    ['of another push', path.replace('0123', '0124')],
    ['of another terminal', path.replace(PHONE, PC)],
    ['cut short', path.slice(0, -1)],
    ['of nothing', ''],
    ['of anything', 'x'.repeat(10_000)],
  ])('is not ours when it is one %s', (_, given) => {
    expect(readDelegatedPath(given, KEY)).toBeUndefined();
    expect(readDelegatedPath(path, new Uint8Array(32))).toBeUndefined();
  });

  it('and the push-id are the same for every repetition', () => {
    expect(delegatedPath(PUSH, KEY)).toBe(path);
    expect(delegatedPushId(PUSH, 'x')).toBe(delegatedPushId(PUSH, 'x'));
  });
});
