/**
 * What a watcher knows of the registrations of one resource, built up from one document after the other (RFC 3680 §5.1): a full
 * one replaces what was known, a partial one changes what it names. Pure.
 */
import { DecodeError } from '../../kernel/errors.js';
import { REGINFO_LIMITS, type RegInfo, type RegInfoContact, type RegInfoRegistration } from './reginfo.js';

export interface RegistrationView {
  readonly version: number;
  /** By the id of the registration. */
  readonly registrations: ReadonlyMap<string, RegInfoRegistration>;
}

export interface AppliedRegInfo {
  readonly view: RegistrationView;
  /** A document was missed: a refresh of the subscription brings the full state. */
  readonly hasGap: boolean;
}

/**
 * The view after a document; undefined when nothing can be made of it: a partial one without anything to change, which a refresh
 * mends, or one that is as old as the view or older. Throws DecodeError `limitExceeded` when what partial documents added up to
 * is more than one document may hold.
 *
 * Leniency: a full document is taken whatever its version. Clearwater and Kamailio's pua_reginfo write version 0 into every one,
 * and NOTIFYs have an order of their own (CSeq), which the subscriber watches over.
 */
export function applyRegInfo(
  view: RegistrationView | undefined,
  document: RegInfo,
  limits: { readonly maxRegistrations: number; readonly maxContacts: number } = REGINFO_LIMITS,
): AppliedRegInfo | undefined {
  const { version, state, registrations } = document;
  if (state === 'full') return { view: { version, registrations: byId(registrations) }, hasGap: false };
  if (view === undefined || version <= view.version) return undefined;
  const merged = new Map(view.registrations);
  for (const changed of registrations) merged.set(changed.id, mergedWith(merged.get(changed.id), changed));
  const contacts = [...merged.values()].reduce((sum, known) => sum + known.contacts.length, 0);
  if (merged.size > limits.maxRegistrations || contacts > limits.maxContacts) {
    throw new DecodeError('more registrations than are kept', { code: 'limitExceeded' });
  }
  return { view: { version, registrations: merged }, hasGap: version > view.version + 1 };
}

/** The contacts that are registered now, whichever address of record of the resource they stand under. */
export function activeContacts(view: RegistrationView): readonly RegInfoContact[] {
  return [...view.registrations.values()]
    .filter(({ state }) => state === 'active')
    .flatMap(({ contacts }) => contacts.filter((contact) => contact.state === 'active'));
}

function byId(registrations: readonly RegInfoRegistration[]): ReadonlyMap<string, RegInfoRegistration> {
  return new Map(registrations.map((registration) => [registration.id, registration]));
}

/** [RFC 3680 §5.1] contacts that a partial document does not name stay; those that it calls terminated go. */
function mergedWith(
  known: RegInfoRegistration | undefined,
  changed: RegInfoRegistration,
): RegInfoRegistration {
  if (known === undefined || changed.state !== 'active') return changed;
  const contacts = new Map(known.contacts.map((contact) => [contact.id, contact]));
  for (const contact of changed.contacts) {
    if (contact.state === 'active') contacts.set(contact.id, contact);
    else contacts.delete(contact.id);
  }
  return { ...changed, contacts: [...contacts.values()] };
}
