/**
 * The `delegate` bearer (mode D, SIR-78, SIR-124): hands a push to another gateway by PAP, which wakes and delivers. No SIR is sent from here. What
 * became of it comes as a result notification (`endpoints/delegated`). A repetition goes under the same push-id, and that the other
 * gateway knows it already is as good as its yes.
 */
import { DecodeError, DeliveryError, describeError } from '../../kernel/errors.js';
import type { ConnectionOutcome } from '../../lane/ports.js';
import { encodeMultipartRelated } from '../../protocols/mime/index.js';
import {
  decodePap,
  encodePap,
  type PapOperation,
  type PapValidator,
  papStatusText,
} from '../../protocols/pap/index.js';
import { encodePushAddress } from '../../protocols/push-address/index.js';
import type { Bearer, BearerOutcome, CarriedItem } from '../../push/ports.js';
import type { PushUid } from '../../push/push-message.js';
import { identityToCarry } from '../../push/sir-plan.js';
import type { Terminal } from '../../registry/user.js';
import type { GuardedHttp } from '../../transports/guarded-http/guarded-http.js';
import { delegatedPath, delegatedPushId } from './delegated-push.js';

export interface Delegate {
  readonly name: string;
  /** PAP endpoint. */
  readonly url: string;
  /** Who we are there. */
  readonly initiator: string;
  readonly password: string;
  /** Where it reaches our public listener, without a slash at the end. */
  readonly notifyUrl: string;
}

export interface DelegateBearerPorts {
  readonly http: Pick<GuardedHttp, 'request'>;
  readonly validator: PapValidator;
}

export interface DelegateBearerOptions {
  readonly delegates: readonly Delegate[];
  readonly domain: string;
  /** Signs where results are to be posted. */
  readonly key: Uint8Array;
}

const VERSION = '2.1';
/** The other gateway has the push already. */
const DUPLICATE = 2007;

export class DelegateBearer implements Bearer {
  readonly #ports: DelegateBearerPorts;
  readonly #options: DelegateBearerOptions;

  constructor(ports: DelegateBearerPorts, options: DelegateBearerOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async wake(): Promise<BearerOutcome> {
    return { kind: 'failed', detail: 'another gateway wakes the terminal, and did not take the push' };
  }

  /** Whatever the terminal reads is for the other gateway to find out. */
  readsText(): boolean {
    return true;
  }

  async carry(terminal: Terminal, item: CarriedItem, name: string | undefined): Promise<ConnectionOutcome> {
    const delegate = this.#options.delegates.find((one) => one.name === name);
    if (!delegate) return { kind: 'unfit', detail: `no gateway ${name ?? ''} is configured (delegates)` };
    try {
      return outcomeOf(await this.#submit(delegate, terminal, item), delegate);
    } catch (error) {
      if (!(error instanceof DeliveryError || error instanceof DecodeError)) throw error;
      return { kind: 'lost', detail: `${delegate.name}: ${describeError(error)}` };
    }
  }

  async #submit(delegate: Delegate, terminal: Terminal, item: CarriedItem): Promise<PapOperation> {
    const { domain, key } = this.#options;
    const push = { uid: item.id as PushUid, terminal: terminal.id };
    const document = encodePap(
      {
        kind: 'push-message',
        pushId: delegatedPushId(push, domain),
        addresses: [addressOf(terminal)],
        replaceMethod: 'all',
        progressNotesRequested: false,
        deliverBeforeTimestamp: item.expiresAt,
        ppgNotifyRequestedTo: `${delegate.notifyUrl}/v1/delegated/${delegatedPath(push, key)}`,
        qualityOfService: {
          priority: 'medium',
          deliveryMethod: item.confirmation === 'required' ? 'confirmed' : 'notspecified',
          networkRequired: false,
          bearerRequired: false,
        },
      },
      { version: VERSION },
    );
    const { contentType, body } = encodeMultipartRelated(
      { headers: [{ name: 'Content-Type', value: 'application/xml' }], content: document },
      [
        {
          headers: [{ name: 'Content-Type', value: item.contentType }, ...item.headers],
          content: item.content,
        },
      ],
    );
    const credentials = Buffer.from(`${delegate.initiator}:${delegate.password}`).toString('base64');
    const answer = await this.#ports.http.request({
      method: 'POST',
      url: delegate.url,
      headers: { 'content-type': contentType, authorization: `Basic ${credentials}` },
      body,
    });
    if (answer.status < 200 || answer.status > 299) {
      throw new DeliveryError('unreachable', `HTTP ${answer.status}`);
    }
    return decodePap(answer.body, { validator: this.#ports.validator }).operation;
  }
}

/** The terminal by the identity that both gateways know it by. */
function addressOf(terminal: Terminal): string {
  const device = identityToCarry(terminal)?.value;
  const { user } = terminal;
  const isNumber = user.startsWith('tel:');
  return encodePushAddress({
    type: isNumber ? 'PLMN' : 'USER',
    value: isNumber ? user.slice('tel:'.length) : user,
    ...(device === undefined ? {} : { device }),
  });
}

function outcomeOf(operation: PapOperation, { name }: Delegate): ConnectionOutcome {
  if (!('code' in operation)) return { kind: 'lost', detail: `${name} answered with ${operation.kind}` };
  const { code } = operation;
  const told = `${name}: ${code} ${operation.desc ?? papStatusText(code)}`;
  if (operation.kind !== 'push-response') return { kind: 'refused', why: 'declined', detail: told };
  if (code < 2000 || code === DUPLICATE) return { kind: 'awaited', detail: told };
  // 3xxx and 4xxx are the affair of the other gateway, and may be over later.
  return code < 3000 ? { kind: 'refused', why: 'declined', detail: told } : { kind: 'lost', detail: told };
}
