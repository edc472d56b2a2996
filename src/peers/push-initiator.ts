/**
 * The initiator's end of a result notification in PAP: POST of a document, acknowledged by 2xx, unless a PAP answer in it says
 * otherwise. What may be called and for how long is `guarded-post.ts`.
 */
import { DeliveryError } from '../kernel/errors.js';
import { decodePap, type PapValidator } from '../protocols/pap/index.js';
import type { InitiatorEndpoint } from '../push/ports.js';
import { type GuardedPost, requireSuccess } from './guarded-post.js';

export class HttpInitiatorEndpoint implements InitiatorEndpoint {
  readonly #http: GuardedPost;
  readonly #validator: PapValidator;

  constructor(http: GuardedPost, validator: PapValidator) {
    this.#http = http;
    this.#validator = validator;
  }

  async notify(url: string, document: Uint8Array): Promise<void> {
    const answer = await this.#http.post(url, { 'content-type': 'application/xml' }, document);
    requireSuccess(answer);
    refuseNegative(answer.body, this.#validator);
  }
}

/** An initiator may answer with a `resultnotification-response`: 1000 acknowledges, anything else asks to be told again. */
function refuseNegative(answer: Uint8Array, validator: PapValidator): void {
  if (answer.length === 0) return;
  let code = 1000;
  try {
    const { operation } = decodePap(answer, { validator });
    if (operation.kind === 'resultnotification-response') code = operation.code;
  } catch {
    return; // initiators answer 200 with all kinds of text; the status says enough
  }
  if (code >= 2000) throw new DeliveryError('unreachable', `the initiator answered PAP ${code}`);
}
