/** What push initiators may do, how much of it, and their tokens, through the admin API. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTokenOf, parseToken } from '../../../src/registry/initiator-token.js';
import { AdminRig } from '../../support/admin.js';
import { initiatorWith } from '../../support/memory-initiators.js';

let rig: AdminRig;
beforeEach(async () => {
  rig = await AdminRig.start();
});
afterEach(() => rig[Symbol.asyncDispose]());

const WEATHER = '/admin/v1/push-initiators/weather';
const put = (body: unknown, path = WEATHER) => rig.ask('PUT', path, { body });
const RESTRICTED = {
  password: 's3cret',
  certificates: [{ sha256: 'AB:'.repeat(31).concat('AB') }, { subject: 'CN=pi,O=Example' }],
  rights: { addresses: ['TEL:+43*', 'sip:*@Example.TEST'], applicationIds: ['MMS.ua'] },
  limits: { pushesPerSecond: 0.5, burst: 3, pendingPushes: 10, pendingBytes: 65536, maxAddresses: 2 },
  sourceNetworks: ['192.0.2.7', '2001:DB8::/32'],
};

describe('a push initiator with restrictions', () => {
  it('is shown with them in canonical form, and with what it uses', async () => {
    await put(RESTRICTED);
    expect((await rig.ask('GET', WEATHER)).json).toEqual({
      id: 'weather',
      origin: 'stored',
      credentials: {
        password: true,
        tokens: [],
        certificates: [{ sha256: 'ab'.repeat(32) }, { subject: 'CN=pi,O=Example' }],
      },
      rights: { addresses: ['tel:+43*', 'sip:*@example.test'], applicationIds: ['mms.ua'] },
      limits: RESTRICTED.limits,
      sourceNetworks: ['192.0.2.7/32', '2001:db8::/32'],
      usage: { pendingPushes: 3, pendingBytes: 4096 },
    });
  });

  it('shows no usage without a quota', async () => {
    await put({ password: 's3cret', limits: { pushesPerSecond: 5 } });
    expect((await rig.ask('GET', WEATHER)).json['usage']).toBeUndefined();
  });

  it('keeps them when only the password changes', async () => {
    await put(RESTRICTED);
    const before = (await rig.ask('GET', WEATHER)).json;
    await put({ password: 'another' });
    expect((await rig.ask('GET', WEATHER)).json).toEqual(before);
  });

  it('keeps its password when only they change', async () => {
    await put({ password: 's3cret' });
    await put({ limits: { pendingPushes: 1 } });
    expect((await rig.ask('GET', WEATHER)).json['credentials']).toMatchObject({ password: true });
  });

  it('loses what is null', async () => {
    await put(RESTRICTED);
    await put({ password: null, certificates: null, rights: null, limits: null, sourceNetworks: null });
    expect((await rig.ask('GET', WEATHER)).json).toEqual({
      id: 'weather',
      origin: 'stored',
      credentials: { password: false, tokens: [], certificates: [] },
    });
  });

  it('cannot have a certificate of another one', async () => {
    await put({ certificates: [{ subject: 'CN=pi' }] });
    const answer = await put({ certificates: [{ subject: 'CN=pi' }] }, '/admin/v1/push-initiators/other');
    expect(answer.status).toBe(409);
    expect(answer.json['detail']).toMatch(/weather/);
  });

  it.each([
    [{ rights: { addresses: [] } }, /^rights\.addresses: empty/],
    [{ rights: { addresses: ['tel:+43*', 'alice'] } }, /^rights\.addresses\[1\]: /],
    [{ rights: { applicationIds: ['a b'] } }, /^rights\.applicationIds\[0\]: /],
    [{ rights: { adresses: ['*'] } }, /^rights: .*adresses/],
    [{ limits: { pendingPushes: 0 } }, /^limits\.pendingPushes: /],
    [{ limits: { pendingPushes: 1.5 } }, /^limits\.pendingPushes: /],
    [{ limits: { pushesPerSecond: 0 } }, /^limits\.pushesPerSecond: /],
    [{ limits: { burst: 5 } }, /^limits\.burst: means nothing/],
    [{ sourceNetworks: ['192.0.2.1/24'] }, /^sourceNetworks\[0\]: .*192\.0\.2\.0\/24/],
    [{ sourceNetworks: ['example.test'] }, /^sourceNetworks\[0\]: /],
    [{ certificates: [{ sha256: 'ab' }] }, /^certificates\[0\]\.sha256: /],
    [{ certificates: [{ subject: 'pi' }] }, /^certificates\[0\]\.subject: /],
    [{ certificates: [{}] }, /^certificates\[0\]: /],
  ])('is refused with %j', async (body, detail) => {
    const answer = await put(body);
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(detail);
  });
});

describe('tokens of push initiators', () => {
  const TOKENS = `${WEATHER}/tokens`;
  beforeEach(async () => rig.stored.put(await initiatorWith('weather', 'x')));

  it('are shown once and kept as a digest', async () => {
    const { status, json } = await rig.ask('POST', TOKENS);
    expect(status).toBe(201);
    const parsed = parseToken(String(json['token']));
    const { tokens = [] } = (await rig.stored.find('weather')) ?? {};
    expect(parsed?.initiator).toBe('weather');
    expect(parsed && isTokenOf(parsed, tokens)).toBe(true);
    expect(JSON.stringify(tokens)).not.toContain(String(json['token']).split('.')[2]);
  });

  it('are listed by id without what they are', async () => {
    const { json } = await rig.ask('POST', TOKENS);
    const { text } = await rig.ask('GET', WEATHER);
    expect(JSON.parse(text).credentials.tokens).toEqual([
      { id: json['tokenId'], createdAt: '2026-03-01T08:00:00.000Z' },
    ]);
    expect(text).not.toContain(String(json['token']));
  });

  it('are gone after DELETE, and a second DELETE finds nothing', async () => {
    const { json } = await rig.ask('POST', TOKENS);
    const path = `${TOKENS}/${String(json['tokenId'])}`;
    expect((await rig.ask('DELETE', path)).status).toBe(204);
    expect((await rig.ask('DELETE', path)).status).toBe(404);
    expect((await rig.stored.find('weather'))?.tokens).toEqual([]);
  });

  it('survive a change of the password', async () => {
    await rig.ask('POST', TOKENS);
    await put({ password: 'another' });
    expect((await rig.stored.find('weather'))?.tokens).toHaveLength(1);
  });

  it('are sixteen at most', async () => {
    for (let count = 0; count < 16; count += 1) await rig.ask('POST', TOKENS);
    const answer = await rig.ask('POST', TOKENS);
    expect(answer.status).toBe(409);
    expect((await rig.stored.find('weather'))?.tokens).toHaveLength(16);
  });

  it('are not made for somebody unknown, nor for an initiator of the configuration', async () => {
    expect((await rig.ask('POST', '/admin/v1/push-initiators/nobody/tokens')).status).toBe(404);
    expect((await rig.ask('POST', '/admin/v1/push-initiators/configured/tokens')).status).toBe(409);
    expect(await rig.stored.find('nobody')).toBeUndefined();
  });

  it('leave a line in the audit trail that names them and does not show them', async () => {
    const { json } = await rig.ask('POST', TOKENS);
    const line = rig.audit.find(({ what }) => what === 'push-initiator.token.create');
    expect(line).toMatchObject({ result: `created ${String(json['tokenId'])}` });
    expect(JSON.stringify(rig.log)).not.toContain(String(json['token']));
  });
});
