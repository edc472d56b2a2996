/** Kills while pushes are handed over by OTA-HTTP. */
import { OtaHttpListener } from '../../src/terminal/ota-http-listener.js';
import { OtaResponder } from '../../src/terminal/ota-http-responder.js';
import { describeHandOverCrashes } from '../support/crash-hand-over.js';

describeHandOverCrashes('a gateway that is killed while it pushes by OTA-HTTP', {
  seed: 4035,
  async terminal(taken) {
    const responder = new OtaResponder({
      take: async ({ id }) => {
        taken(id ?? 'none');
        return 400;
      },
    });
    const listener = await OtaHttpListener.start(responder, { host: '127.0.0.1', port: 0 });
    return {
      activation: { bearer: 'ota-http', address: listener.url },
      config: { bearers: { otaHttp: { allowPrivateAddresses: true } } },
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    };
  },
});
