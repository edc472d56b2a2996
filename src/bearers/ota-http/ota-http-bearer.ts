/**
 * The OTA-HTTP bearer, where we call the terminal's listener (PO-TCP, SIR-82, SIR-87): it carries a push, which the terminal confirms
 * or aborts by its status, or a SIR. The other direction, where the terminal calls us, is `endpoints/ota`.
 */
import type { Clock } from '../../kernel/clock.js';
import { DeliveryError, describeError } from '../../kernel/errors.js';
import type { ConnectionOutcome } from '../../lane/ports.js';
import { encodeSia } from '../../protocols/sia/index.js';
import type { Bearer, BearerOutcome, CarriedItem } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import { terminalCapabilities } from '../../registry/capabilities.js';
import type { Terminal } from '../../registry/user.js';
import type { GuardedHttp } from '../../transports/guarded-http/guarded-http.js';
import { connectionOutcome, wakeOutcome } from '../../transports/ota-http/push-outcome.js';
import {
  type Answered,
  acceptsMediaType,
  type OtaExchange,
  type OtaItem,
  pushToTerminal,
  type TerminalExchangePorts,
} from '../../transports/ota-http/terminal-exchange.js';
import { Pauses } from '../pauses.js';
import { type SirSender, signedSia } from '../sir-body.js';
import { Turns } from './turns.js';

export interface OtaHttpBearerPorts extends TerminalExchangePorts {
  readonly http: Pick<GuardedHttp, 'request'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Where too much is under way to one host already, so long. */
const BUSY_MS = 1000;

export class OtaHttpBearer implements Bearer {
  readonly #ports: OtaHttpBearerPorts;
  readonly #sender: SirSender;
  readonly #pauses: Pauses;
  readonly #turns = new Turns();

  constructor(ports: OtaHttpBearerPorts, sender: SirSender) {
    this.#ports = ports;
    this.#sender = sender;
    this.#pauses = new Pauses(ports.clock);
  }

  async wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    if (address === undefined) return { kind: 'failed', detail: NO_ADDRESS };
    try {
      const answered = await this.#push(terminal, this.#sirItem(sir), address);
      return { ...wakeOutcome(answered), address };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error), address };
    }
  }

  async carry(
    terminal: Terminal,
    item: CarriedItem,
    address: string | undefined,
  ): Promise<ConnectionOutcome> {
    if (address === undefined) return { kind: 'unfit', detail: NO_ADDRESS };
    try {
      const answered = await this.#push(terminal, item, address);
      // What is too much by this way may come by another one.
      if (answered.meaning === 'tooLarge' && terminal.activation.some(({ bearer }) => bearer !== 'ota-http'))
        return { kind: 'unfit', detail: answered.detail };
      return connectionOutcome(answered);
    } catch (error) {
      const retryAt = isBusy(error) ? { retryAt: this.#ports.clock.now() + BUSY_MS } : {};
      return { kind: 'lost', detail: describeError(error), ...retryAt };
    }
  }

  isDown(address: string | undefined): boolean {
    return address !== undefined && this.#pauses.of(address) !== undefined;
  }

  readsText(terminal: Terminal, mediaType: string): boolean {
    return acceptsMediaType(terminal, mediaType);
  }

  async #push(terminal: Terminal, item: OtaItem, address: string): Promise<Answered> {
    const pausedUntil = this.#pauses.of(address);
    if (pausedUntil !== undefined) {
      return { meaning: 'notNow', detail: 'the terminal asked to be left alone', retryAt: pausedUntil };
    }
    const { maxPushRequests = 1 } = terminalCapabilities(terminal, []);
    const answered = await this.#turns.take(address, maxPushRequests, () =>
      pushToTerminal(terminal, item, this.#exchange(address), this.#ports),
    );
    this.#pauses.add(address, answered.retryAt);
    return answered;
  }

  #exchange(url: string): OtaExchange {
    return async ({ method, headers, body }) => {
      const octets = body && Buffer.concat([body.prefix, whole(body.content)]);
      return this.#ports.http.request({
        method,
        url,
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        ...(octets === undefined ? {} : { body: octets }),
      });
    };
  }

  #sirItem(sir: Sir): OtaItem {
    return {
      id: sir.id,
      contentType: 'application/vnd.wap.sia',
      headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
      content: encodeSia(signedSia(sir, this.#sender)),
    };
  }
}

const NO_ADDRESS = 'the activation method has no address';

/** A bearer is given small content only. */
function whole(content: OtaItem['content']): Uint8Array {
  if (content instanceof Uint8Array) return content;
  throw new DeliveryError('limitExceeded', 'content that is not in memory', { retry: 'otherWay' });
}

function isBusy(error: unknown): boolean {
  return error instanceof DeliveryError && error.code === 'busy';
}
