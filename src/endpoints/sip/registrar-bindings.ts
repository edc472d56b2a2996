/**
 * From a REGISTER and the bindings that there are to the change of bindings: pure. A binding is known by its instance and
 * reg-id (RFC 5626 §6), by its instance alone when there is no reg-id, so that a device which comes back from another
 * address replaces its old contact, and by its contact URI when there is no instance (RFC 3261 §10.3 step 7).
 */
import { DecodeError } from '../../kernel/errors.js';
import { parseUri, urisEqual } from '../../protocols/sip/index.js';
import type { Binding } from '../../registry/binding.js';
import { instanceIdentity } from '../../registry/device-identity.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import { pushResourceOf } from './registrar-push.js';
import type { RegisterContact, RegisterRequest } from './registrar-request.js';

export interface BindingChange {
  readonly put: readonly Binding[];
  readonly remove: readonly { readonly key: string; readonly callId: string; readonly cseq: number }[];
}

/** What a new binding takes from outside the request. */
export interface BindingOrigin {
  readonly user: PublicUserIdentity;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly flow: Binding['flow'];
  /** The terminal of an instance, when it has one. */
  readonly terminalOf: (instance: string) => TerminalId | undefined;
  readonly gruusOf: (instance: string) => Pick<Binding, 'publicGruu' | 'temporaryGruu'>;
}

export function bindingChange(
  request: RegisterRequest,
  current: readonly Binding[],
  origin: BindingOrigin,
): BindingChange {
  const { callId, cseq, contacts } = request;
  if (contacts === '*') return { put: [], remove: current.map(({ key }) => ({ key, callId, cseq })) };
  const put = new Map<string, Binding>();
  const remove: { key: string; callId: string; cseq: number }[] = [];
  for (const contact of contacts) {
    const key = keyOf(contact, current, put);
    if (contact.expires > 0) put.set(key, binding(contact, key, request, origin));
    else remove.push({ key, callId, cseq });
  }
  // What is registered and taken back in one request stays; what was never there needs no removing.
  const isThere = (key: string) => !put.has(key) && current.some((known) => known.key === key);
  return { put: [...put.values()], remove: remove.filter(({ key }) => isThere(key)) };
}

function binding(
  contact: RegisterContact,
  key: string,
  request: RegisterRequest,
  { user, now, flow, terminalOf, gruusOf }: BindingOrigin,
): Binding {
  const { instance, regId, q, features } = contact;
  const terminal = instance === undefined ? undefined : terminalOf(instance);
  const push = pushResourceOf(contact.uri);
  return {
    user,
    ...(terminal === undefined ? {} : { terminal }),
    key,
    contact: contact.uri,
    path: request.path,
    ...(instance === undefined ? {} : { instance }),
    ...(regId === undefined ? {} : { regId }),
    callId: request.callId,
    cseq: request.cseq,
    expiresAt: now + contact.expires * 1000,
    registeredAt: now,
    features,
    ...(q === undefined ? {} : { q }),
    flow,
    ...(push === undefined ? {} : { push }),
    ...(instance === undefined ? {} : gruusOf(instance)),
  };
}

function keyOf(
  contact: RegisterContact,
  current: readonly Binding[],
  sameRequest: ReadonlyMap<string, Binding>,
): string {
  if (contact.instance !== undefined) {
    const key = `${instanceKey(contact.instance)}#${contact.regId ?? ''}`;
    // Two contacts of one instance in one REGISTER (UDP and TCP, say) are two bindings: the second goes by its URI.
    if (!sameRequest.has(key)) return key;
  }
  const uri = parseUri(contact.uri);
  const known = [...sameRequest.values(), ...current].find(
    (candidate) => isKnownByUri(candidate) && urisEqual(parseUri(candidate.contact), uri),
  );
  return known?.key ?? contact.uri;
}

function isKnownByUri({ key }: Binding): boolean {
  return /^sips?:/i.test(key);
}

/** The instance in a form that equal instances share; one of no known form is compared as it stands. */
function instanceKey(instance: string): string {
  try {
    return instanceIdentity(instance).canonical;
  } catch (error) {
    if (error instanceof DecodeError) return instance;
    throw error;
  }
}
