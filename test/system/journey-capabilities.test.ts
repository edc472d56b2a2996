/** Capabilities through the public doors: provisioned by the operator, asked for and relied upon by the initiator (PAP §8.4, §9.10). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator, papDocument, pushElement } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';

const ALICE = 'sip:alice@example.test';
const BOB = 'sip:bob@example.test';
const PRF = 'http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20030226#';

let gateway: E2eGateway;
let initiator: Initiator;

const profile = (values: string) =>
  `<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="${PRF}"><rdf:Description rdf:ID="Profile"><prf:component><rdf:Description rdf:ID="HardwarePlatform">${values}</rdf:Description></prf:component></rdf:Description></rdf:RDF>`;

function submit(pushId: string, assumed: string, contentType = 'application/xml') {
  const parts = [
    ['application/xml', papDocument(pushElement({ pushId, to: addressOf(ALICE) }))],
    ['text/plain', 'Hello'],
    [contentType, assumed],
  ].map(([type, content]) => `--b1\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`);
  return initiator.post(
    'multipart/related; type="application/xml"; boundary=b1',
    Buffer.from(`${parts.join('')}--b1--\r\n`),
  );
}

const query = (user: string) =>
  initiator.ask(`<ccq-message query-id="q1"><address address-value="${addressOf(user)}"/></ccq-message>`);

beforeAll(async () => {
  gateway = await E2eGateway.start();
  await gateway.addUser(ALICE, {
    phone: {
      identities: [{ kind: 'uuid', value: instance(1) }],
      capabilities: {
        accept: ['text/plain'],
        uaProf: profile('<prf:ScreenSize>176x220</prf:ScreenSize><prf:Vendor>A &amp; B</prf:Vendor>'),
      },
    },
  });
  await gateway.addUser(BOB, { phone: instance(2) });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('a capabilities query', () => {
  it('is answered 1000 with the profile beside the response', async () => {
    const { status, text } = await query(ALICE);
    expect(status).toBe(202);
    expect(text).toMatch(/<ccq-response query-id="q1" code="1000"/);
    expect(text).toContain('<prf:ScreenSize>176x220</prf:ScreenSize><prf:Vendor>A &amp; B</prf:Vendor>');
    expect(text).toContain(
      '<prf:Push-Accept><rdf:Bag><rdf:li>text/plain</rdf:li></rdf:Bag></prf:Push-Accept>',
    );
  });

  it('is answered 3008 when nothing is known', async () => {
    expect(await query(BOB)).toMatchObject({ kind: 'ccq-response', code: 3008 });
  });

  it('is answered 2003 for an address of nobody', async () => {
    expect(await query('sip:nobody@example.test')).toMatchObject({ kind: 'ccq-response', code: 2003 });
  });
});

describe('a push', () => {
  it('with assumptions that are true is accepted', async () => {
    const { code } = await submit('true@pi', profile('<prf:ScreenSize>96x64</prf:ScreenSize>'));
    expect(code).toBe(1001);
  });

  it('with an assumption that is not true is refused with 2005 and the reason', async () => {
    const { code, text } = await submit('false@pi', profile('<prf:ScreenSize>240x320</prf:ScreenSize>'));
    expect(code).toBe(2005);
    expect(text).toContain('ScreenSize: assumed 240x320, has 176x220');
  });

  it('with assumptions that cannot be read is refused with 3004', async () => {
    expect((await submit('unread@pi', '<pap/>')).code).toBe(3004);
    expect((await submit('binary@pi', 'x', 'application/vnd.wap.uaprof')).code).toBe(3004);
  });

  it('of a type that no terminal accepts is refused with 2006', async () => {
    const answer = await initiator.submit({
      pushId: 'png@pi',
      to: addressOf(ALICE),
      contentType: 'image/png',
    });
    expect(answer.code).toBe(2006);
  });
});
