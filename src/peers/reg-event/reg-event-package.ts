/**
 * The registration event package (RFC 3680, RFC 5628) as a source: each contact that is registered at the core is a device, named by its
 * instance, its GRUUs and its contact URI.
 */
import { SECOND_MS } from '../../kernel/units.js';
import {
  activeContacts,
  applyRegInfo,
  decodeRegInfo,
  REGINFO_MEDIA_TYPE,
  type RegistrationView,
} from '../../protocols/reginfo/index.js';
import { registeredDevices } from '../../registry/core-registration.js';
import type { DeviceReport } from '../../registry/terminal-source.js';
import type { EventPackage } from '../event-package.js';

export interface RegEventView {
  readonly registrations: RegistrationView;
  /** When each contact was first heard of, by its id: a registrar need not say since when it is registered. */
  readonly seenAt: ReadonlyMap<string, number>;
  readonly at: number;
}

const NOBODY: RegistrationView = { version: 0, registrations: new Map() };

export const REG_EVENT: EventPackage<RegEventView> = {
  source: 'reg-event',
  event: 'reg',
  mediaType: REGINFO_MEDIA_TYPE,
  apply(view, document, now) {
    if (document === undefined) return { view: viewAt(NOBODY, undefined, now), needsRefresh: false };
    const { octets, charset } = document;
    const regInfo = decodeRegInfo(octets, charset === undefined ? {} : { charset });
    const applied = applyRegInfo(view?.registrations, regInfo);
    if (applied === undefined) return { view, needsRefresh: view === undefined };
    return { view: viewAt(applied.view, view, now), needsRefresh: applied.hasGap };
  },
  devices: (view) => devicesOf(view),
};

function devicesOf({ registrations, seenAt, at }: RegEventView): readonly DeviceReport[] {
  return registeredDevices(
    activeContacts(registrations).map(({ id, durationRegisteredSeconds, expiresSeconds, ...contact }) => ({
      ...contact,
      since:
        durationRegisteredSeconds === undefined
          ? (seenAt.get(id) ?? at)
          : at - durationRegisteredSeconds * SECOND_MS,
      ...(expiresSeconds === undefined ? {} : { expiresAt: at + expiresSeconds * SECOND_MS }),
    })),
  );
}

function viewAt(
  registrations: RegistrationView,
  before: RegEventView | undefined,
  now: number,
): RegEventView {
  const seenAt = new Map(
    activeContacts(registrations).map(({ id }) => [id, before?.seenAt.get(id) ?? now] as const),
  );
  return { registrations, seenAt, at: now };
}
