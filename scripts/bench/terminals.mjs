/** Terminals that only receive: one push session each, opened by INVITE, content counted and confirmed. */
import { join } from 'node:path';
import { ROOT } from '../setup.mjs';
import { instance, userName } from './pap.mjs';

/** Connects `count` terminals; `onContent` is called for every message received whole. */
export async function connectTerminals(gateway, count, onContent) {
  const load = (path) => import(join(ROOT, 'dist', path));
  const { createSipStack } = await load('transports/sip-stack/create-sip-stack.js');
  const { createMsrpConnections } = await load('transports/msrp-connections/create-msrp-connections.js');
  const { decodeSdp, msrpMedia, offerMsrp } = await load('protocols/sdp/index.js');

  const stack = createSipStack({
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    product: 'bench',
  });
  await stack.listen();
  const msrp = createMsrpConnections({});
  const { port } = stack.bound[0];
  for (let index = 0; index < count; index += 1) {
    const session = msrp.openSession({ onMessage: onContent });
    const dialog = await stack.invite({
      method: 'INVITE',
      uri: 'sip:ppg@bench.test',
      from: `<sip:${userName(index)}@bench.test>`,
      to: '<sip:ppg@bench.test>',
      headers: [
        { name: 'Contact', value: `<sip:bench@127.0.0.1:${port}>;+sip.instance="<${instance(index)}>"` },
      ],
      contentType: 'application/sdp',
      body: offerMsrp({ host: '127.0.0.1', path: [session.localPath], setup: 'active', acceptTypes: ['*'] }),
      destination: { transport: 'udp', address: '127.0.0.1', port: gateway.sip.port },
    });
    await session.connect(msrpMedia(decodeSdp(dialog.remoteBody)).path);
  }
  return {
    async close() {
      await stack.close();
      await msrp.close();
    },
  };
}
