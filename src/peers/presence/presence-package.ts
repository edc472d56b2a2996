/**
 * The presence event package (RFC 3856, RFC 3863, RFC 4479) as a source: each device that the document names, available when a tuple of it
 * is open. What it says of the user as a person is nobody's terminal and is passed over.
 */
import { type DevicePresence, decodePidf, devicesOf, PIDF_MEDIA_TYPE } from '../../protocols/pidf/index.js';
import type { BearerName } from '../../registry/bearer-name.js';
import { identitiesIn } from '../../registry/device-names.js';
import { isGruu } from '../../registry/gruu.js';
import type { DeviceReport } from '../../registry/terminal-source.js';
import type { EventPackage } from '../event-package.js';

export type PresenceView = readonly DevicePresence[];

export const PRESENCE: EventPackage<PresenceView> = {
  source: 'presence',
  event: 'presence',
  mediaType: PIDF_MEDIA_TYPE,
  apply(_, document) {
    if (document === undefined) return { view: [], needsRefresh: false };
    const { octets, charset } = document;
    const decoded = decodePidf(octets, charset === undefined ? {} : { charset });
    return { view: devicesOf(decoded), needsRefresh: false };
  },
  devices: (view) => view.flatMap(reportOf),
};

function reportOf({ names, basic, contact, timestamp }: DevicePresence): readonly DeviceReport[] {
  const identities = identitiesIn(names);
  if (identities.length === 0) return [];
  const gruu = names.find(isGruu);
  const bearer = contact === undefined ? undefined : bearerOf(contact);
  return [
    {
      identities,
      ...(basic === undefined ? {} : { isAvailable: basic === 'open' }),
      ...(timestamp === undefined ? {} : { since: timestamp }),
      ...(gruu === undefined ? {} : { gruu }),
      ...(contact === undefined || bearer === undefined ? {} : { contact, bearer }),
    },
  ];
}

function bearerOf(contact: string): BearerName | undefined {
  if (/^sips?:/i.test(contact)) return 'sip';
  return /^tel:/i.test(contact) ? 'sms' : undefined;
}
