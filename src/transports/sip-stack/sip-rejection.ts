/** A final response ≥ 300 to an INVITE of ours: the peer has decided, nothing is broken. */
import { GatewayError } from '../../kernel/errors.js';
import type { SipResponse } from '../../protocols/sip/index.js';

export class SipRejection extends GatewayError {
  override readonly name = 'SipRejection';
  readonly response: SipResponse;

  constructor(response: SipResponse) {
    const isOurTurnLater = response.status === 480 || response.status === 486 || response.status >= 500;
    super({
      code: response.status === 404 || response.status === 604 ? 'addressNotFound' : 'unreachable',
      fault: 'downstream',
      retry: isOurTurnLater && response.status < 600 ? 'later' : 'otherWay',
      detail: `the INVITE was answered ${response.status} ${response.reason}`,
    });
    this.response = response;
  }
}
