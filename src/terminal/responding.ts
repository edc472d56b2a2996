/**
 * Unit 23: returns what a SIR asked for, after the session is there and never before (SIR-132, SIR-153); or, without a session, says that
 * there will be none (SIR-136). `return` and `send` are two lists; asking for the same thing in both yields one message (C-19).
 * What the policy withholds is not returned. `registration` is a REGISTER.
 */
import type { Judgement } from './judgement.js';
import { reasonRow } from './judgement-reasons.js';
import { type Returned, type ReturningPorts, sendReturn } from './returning.js';
import type { ReceivedSir } from './sir.js';
import {
  INFORMATION_KINDS,
  type Information,
  type InformationKind,
  type TerminalPolicy,
} from './terminal-options.js';

export interface RespondingPorts extends ReturningPorts {
  readonly policy: Pick<TerminalPolicy, 'returnRoute' | 'returnKey' | 'withheld' | 'homeGateway'>;
  readonly register: () => Promise<void>;
  readonly onReturned: (information: string, returned: Returned) => void;
}

/** Sends every message that the SIR asks for, one after the other. Rejects at the first that cannot be sent. */
export async function respondToSir(
  sir: ReceivedSir,
  information: Information,
  ports: RespondingPorts,
): Promise<void> {
  const gateway = gatewayOf(sir, ports.policy);
  for (const kind of wantedInformation(sir, ports.policy)) {
    const told = { kind, sir: sir.citableId, information: information[kind] ?? null };
    ports.onReturned(kind, await sendReturn(told, gateway, ports));
  }
  if (sir.send.includes('registration')) {
    await ports.register();
    const { registrarUri } = ports.identity;
    ports.onReturned('registration', { by: 'sip', gateway: registrarUri, status: 200 });
  }
}

/** Tells a refusal where the carrier of the SIR has no answer of its own. Rejects when it cannot be sent. */
export async function rejectSir(
  sir: ReceivedSir,
  { reason }: Judgement,
  ports: RespondingPorts,
): Promise<void> {
  const { text, retryAfterSeconds } = reasonRow(reason);
  const information = {
    reason,
    text,
    ...(retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }),
  };
  const told = { kind: 'rejection', sir: sir.citableId, information } as const;
  ports.onReturned('rejection', await sendReturn(told, gatewayOf(sir, ports.policy), ports));
}

/** In the order of the flags. A rejection is no information: it is told without a session. */
export function wantedInformation(
  sir: Pick<ReceivedSir, 'return' | 'send'>,
  { withheld }: Pick<TerminalPolicy, 'withheld'>,
): readonly InformationKind[] {
  const asked = new Set<string>([...sir.return, ...sir.send]);
  return INFORMATION_KINDS.filter((kind) => asked.has(kind) && !withheld.includes(kind));
}

/** Where the session is, or would have been (SIR-59). */
function gatewayOf(
  { gateway, sender }: ReceivedSir,
  { homeGateway }: Pick<TerminalPolicy, 'homeGateway'>,
): string | undefined {
  return gateway ?? sender ?? homeGateway;
}
