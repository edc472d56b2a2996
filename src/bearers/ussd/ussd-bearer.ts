/**
 * The USSD bearer (SIR-88): a SIR as an unstructured supplementary service notification, which an SMSC or USSD gateway sends to a terminal that is
 * in coverage, or not at all: nothing waits, and nothing is put together from parts. The WSP push goes in as octets, in which what a terminal can do
 * without is left out until it fits. Content goes by other ways.
 */
import type { Clock } from '../../kernel/clock.js';
import { describeError } from '../../kernel/errors.js';
import { parseContentType } from '../../protocols/mime/index.js';
import { encodeSia } from '../../protocols/sia/index.js';
import { PARAMETER, USSD_OPERATION } from '../../protocols/smpp/index.js';
import { encodePush } from '../../protocols/wsp/index.js';
import type { PartsLedger } from '../../push/parts.js';
import type { Bearer, BearerOutcome } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import type { Terminal } from '../../registry/user.js';
import type { Submitted } from '../../transports/smpp/link-options.js';
import type { SirSender } from '../sir-body.js';
import { signedSiaWithin } from '../sir-body.js';
import { AwaitedSir } from '../sms/awaited-sir.js';
import type { SmsAttempt } from '../sms/sms-attempt.js';
import { operatorOf } from '../sms/sms-bearer.js';
import { type SmsLink, shortMessage, usableFirst } from '../sms/sms-link.js';
import { routesTo } from '../sms/sms-route.js';

export interface UssdBearerPorts {
  /** Their service type is that of USSD. */
  readonly links: readonly SmsLink[];
  readonly ledger: PartsLedger;
  readonly observe: (attempt: SmsAttempt) => void;
  readonly clock: Pick<Clock, 'now'>;
}

/** Octets of a USSD string (3GPP TS 23.038 §5, TS 24.090). */
const USSD_OCTETS = 160;
const OCTETS = 0x04;
const CONTENT_TYPE = parseContentType('application/vnd.wap.sia');
const HEADERS = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }];

export class UssdBearer implements Bearer {
  readonly #ports: UssdBearerPorts;
  readonly #sender: SirSender;

  constructor(ports: UssdBearerPorts, sender: SirSender) {
    this.#ports = ports;
    this.#sender = sender;
  }

  async wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    if (address === undefined) return { kind: 'failed', detail: 'the activation method has no number' };
    try {
      return { ...(await this.#wake(terminal, sir, address)), address };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error), address };
    }
  }

  isDown(address: string | undefined): boolean {
    return address !== undefined && !routesTo(this.#ports.links, address).some(({ isUsable }) => isUsable);
  }

  async #wake(terminal: Terminal, sir: Sir, address: string): Promise<BearerOutcome> {
    const { ledger, clock } = this.#ports;
    const octets = this.#octets(sir);
    if (octets === undefined) return { kind: 'failed', detail: 'the SIR is too large for USSD' };
    let last: Submitted | undefined;
    for (const link of usableFirst(routesTo(this.#ports.links, address, operatorOf(terminal)))) {
      last = await this.#submit(terminal, sir, address, link, octets);
      if (last.kind !== 'accepted') continue;
      const awaited = new AwaitedSir(sir, { terminal: terminal.id, bearer: 'ussd', address }, 1, ledger);
      await awaited.taken(link, 1, last.messageId);
      return awaited.outcome(`${link.name} took it`, clock);
    }
    if (last === undefined) return { kind: 'failed', detail: 'no link leads to this number' };
    const retry = 'retryAt' in last && last.retryAt !== undefined ? { retryAt: last.retryAt } : {};
    return { kind: 'failed', detail: 'detail' in last ? last.detail : '', ...retry };
  }

  async #submit(
    terminal: Terminal,
    sir: Sir,
    address: string,
    link: SmsLink,
    userData: Uint8Array,
  ): Promise<Submitted> {
    const { clock, observe } = this.#ports;
    const startedAt = clock.now();
    const message = shortMessage(link, {
      address,
      userData,
      hasHeader: false,
      dataCoding: OCTETS,
      validityPeriod: '', // there is no storing and forwarding
      wantsReceipt: link.hasReceipts,
    });
    const parameters = new Map([[PARAMETER.ussdServiceOp, Uint8Array.of(USSD_OPERATION.ussnRequest)]]);
    const submitted = await link.submit({ message, parameters });
    const isAccepted = submitted.kind === 'accepted';
    observe({
      bearer: 'ussd',
      sir: sir.id,
      terminal: terminal.id,
      address,
      link: link.name,
      segments: 1,
      accepted: isAccepted ? 1 : 0,
      result: submitted.kind,
      detail: isAccepted ? 'taken' : submitted.detail,
      latencyMs: clock.now() - startedAt,
    });
    return submitted;
  }

  #octets(sir: Sir): Uint8Array | undefined {
    const pdu = (body: Uint8Array) =>
      encodePush({ transactionId: 0, contentType: CONTENT_TYPE, headers: HEADERS, body });
    const room = USSD_OCTETS - pdu(new Uint8Array()).length;
    const sia = signedSiaWithin(sir, this.#sender, room);
    return sia && pdu(encodeSia(sia));
  }
}
