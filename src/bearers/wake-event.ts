/**
 * A wake-up in JSON, for those who wake terminals in ways of their own (SIR-90): what the SIR says, field by field, and its body as octets for
 * a terminal that reads SIRs. `docs/http-callback.md` describes it.
 */
import { encodeSia } from '../protocols/sia/index.js';
import type { Sir } from '../push/sir.js';
import type { PushResource } from '../registry/binding.js';
import type { Terminal } from '../registry/user.js';
import { type SirSender, signedSia } from './sir-body.js';

export interface WakeEvent {
  readonly id: string;
  readonly type: 'terminal.wake';
  readonly user: string;
  readonly terminal: { readonly id: string; readonly name: string };
  readonly sir: {
    readonly id: string;
    readonly applicationId: string;
    readonly device?: string;
    readonly ppg: string;
    readonly createdAt: string;
    readonly expiresAt: string;
  };
  /** `application/vnd.wap.sia`, Base64. */
  readonly sia: string;
  /** Where the terminal's registration says that it is woken (RFC 8599). */
  readonly pns?: PushResource;
}

export function wakeEvent(terminal: Terminal, sir: Sir, sender: SirSender, pns?: PushResource): WakeEvent {
  return {
    id: eventId(sir),
    type: 'terminal.wake',
    user: sir.user,
    terminal: { id: terminal.id, name: terminal.name },
    sir: {
      id: sir.id,
      applicationId: sir.applicationId,
      ...(sir.device === undefined ? {} : { device: sir.device.value }),
      ppg: sender.ppgUri,
      createdAt: new Date(sir.createdAt).toISOString(),
      expiresAt: new Date(sir.expiresAt).toISOString(),
    },
    sia: Buffer.from(encodeSia(signedSia(sir, sender))).toString('base64'),
    ...(pns === undefined ? {} : { pns }),
  };
}

/** The id of the SIR in the letters that a webhook-id may have. */
function eventId({ id }: Sir): string {
  return id.replace(/[^A-Za-z0-9_-]/g, '_');
}
