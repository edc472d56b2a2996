/** What a terminal is told of the initiator of a push. */
import { describe, expect, it } from 'vitest';
import { pushFlag } from '../../src/push/push-flag.js';
import type { InitiatorTrust } from '../../src/registry/initiator.js';
import { PushStage, TO_BOB } from '../support/push-stage.js';

const OWN = 'https://pi.example.test/service';

function flag(options: { uri?: string; trust?: InitiatorTrust; isEncrypted?: boolean; id?: string } = {}) {
  const { uri, trust, isEncrypted = true, id = 'pi.example.test' } = options;
  const headers = uri === undefined ? [] : [{ name: 'x-wap-initiator-uri', value: uri }];
  const access = { isEncrypted, ...(trust === undefined ? {} : { trust }) };
  return pushFlag(headers, id, access).map(({ name, value }) => `${name}: ${value}`);
}

describe('the initiator is called authenticated', () => {
  it('when its URI has its id as host', () => {
    expect(flag({ uri: OWN })).toEqual(['Push-Flag: 1']);
    expect(flag({ uri: ' HTTPS://PI.example.TEST ', id: 'PI.example.test' })).toEqual(['Push-Flag: 1']);
  });

  it('when its URI fits a pattern that the operator gave, and then in no other way', () => {
    const trust = { initiatorUris: ['https://pi.example.test/*', 'urn:x:*'] };
    expect(flag({ uri: OWN, trust, id: 'me' })).toEqual(['Push-Flag: 1']);
    expect(flag({ uri: 'urn:x:1', trust, id: 'me' })).toEqual(['Push-Flag: 1']);
    expect(flag({ uri: 'https://me/', trust, id: 'me' })).toEqual([]);
  });

  it.each([
    ['names no URI', {}],
    ['names that of somebody else', { uri: 'https://pi.example.test.evil.test/' }],
    ['names what is no URI', { uri: 'pi.example.test' }],
    ['did not come over TLS', { uri: OWN, isEncrypted: false }],
  ])('not when it %s', (_what, options) => {
    expect(flag(options)).toEqual([]);
  });
});

describe('the content is called trusted', () => {
  it('when the operator answers for it', () => {
    expect(flag({ trust: { content: true } })).toEqual(['Push-Flag: 2']);
    expect(flag({ uri: OWN, trust: { content: true } })).toEqual(['Push-Flag: 3']);
  });

  it('not when it did not come over TLS', () => {
    expect(flag({ trust: { content: true }, isEncrypted: false })).toEqual([]);
  });
});

describe('a submission', () => {
  it('carries the flag to the terminal with the other headers', async () => {
    const stage = new PushStage();
    const headers = [{ name: 'X-Wap-Initiator-URI', value: 'https://pi/' }];
    const access = { method: 'token', isEncrypted: true } as const;
    const { uid } = await stage.submit({ addresses: [TO_BOB], headers, access });
    expect((await stage.store.story(uid))?.push.content.headers).toEqual([
      ...headers,
      { name: 'Push-Flag', value: '1' },
    ]);
  });

  it('of the gateway itself carries none', async () => {
    const stage = new PushStage();
    const { uid } = await stage.submit({ addresses: [TO_BOB] });
    expect((await stage.store.story(uid))?.push.content.headers).toEqual([]);
  });
});
