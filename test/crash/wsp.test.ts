/** Kills while pushes are handed over in a WSP session: the terminal is woken into a new one each time. */
import { expect } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { DeliveryError } from '../../src/kernel/errors.js';
import { headerValue } from '../../src/protocols/mime/index.js';
import { decodeSia } from '../../src/protocols/sia/index.js';
import { WspListener } from '../../src/terminal/wsp-listener.js';
import { WspSession } from '../../src/terminal/wsp-session.js';
import { describeHandOverCrashes } from '../support/crash-hand-over.js';
import { freePort } from '../support/ports.js';

describeHandOverCrashes('a gateway that is killed while it pushes in a WSP session', {
  seed: 9201,
  async terminal(taken) {
    const port = await freePort();
    let session: WspSession | undefined;

    /** A SIR has come: the session that there was is gone, and a new one is opened; when the gateway is gone too, the next SIR does that. */
    async function follow(sirId = ''): Promise<void> {
      await session?.[Symbol.asyncDispose]();
      try {
        session = await WspSession.open(
          { host: '127.0.0.1', port, sirId, wtp: { retransmitMs: 200 } },
          {
            clock: systemClock,
            randomBytes,
            async take({ headers }) {
              taken(headerValue(headers, 'x-push-id') ?? 'none');
              return undefined;
            },
          },
        );
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
      }
    }

    const listener = await WspListener.start(
      { host: '127.0.0.1', port: 0 },
      {
        take: ({ body }) => follow(decodeSia(body).extension?.id),
        onRefused: (reason) => expect.fail(reason),
      },
    );
    return {
      activation: { bearer: 'wsp', address: listener.address, carries: 'sir' },
      config: {
        bearers: { wsp: { enabled: true, port: 0, allowPrivateAddresses: true } },
        wsp: { enabled: true, port, retransmitMs: 200 },
      },
      async [Symbol.asyncDispose]() {
        await listener[Symbol.asyncDispose]();
        await session?.[Symbol.asyncDispose]();
      },
    };
  },
});
