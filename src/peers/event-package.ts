/**
 * What the sources that are reached by SIP event notification have in common: an event package, the view that its documents build up, and
 * the devices in it.
 */
import { DecodeError } from '../kernel/errors.js';
import { parseContentType } from '../protocols/mime/index.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { DeviceReport, OutsideSourceName } from '../registry/terminal-source.js';
import type { Notification, SubscriptionTarget } from '../transports/sip-stack/subscription-dialog.js';

export interface EventPackage<View> {
  readonly source: OutsideSourceName;
  /** Name of the package: value of Event. */
  readonly event: string;
  /** Media type of its documents. */
  readonly mediaType: string;
  /**
   * The view after a document; without one the notifier has nothing to tell. Throws DecodeError for a document that cannot be read.
   * `view` undefined: nothing is known until the whole state comes.
   */
  apply(view: View | undefined, document: EventDocument | undefined, now: number): AppliedDocument<View>;
  devices(view: View): readonly DeviceReport[];
}

export interface EventDocument {
  readonly octets: Uint8Array;
  /** The `charset` parameter of Content-Type. */
  readonly charset?: string;
}

export interface AppliedDocument<View> {
  readonly view: View | undefined;
  /** Something was missed: ask for the whole state. */
  readonly needsRefresh: boolean;
}

/** Whom and what to subscribe to for a user. */
export function targetOf(
  user: PublicUserIdentity,
  { event, mediaType }: Pick<EventPackage<never>, 'event' | 'mediaType'>,
  { from, route }: { readonly from: string; readonly route?: readonly string[] },
): SubscriptionTarget {
  return {
    uri: user,
    from,
    event,
    accept: mediaType,
    ...(route === undefined ? {} : { route }),
    headers: [{ name: 'P-Asserted-Identity', value: from }],
  };
}

/** The document of a NOTIFY; undefined when it has no body. Throws DecodeError when it is of another media type. */
export function documentIn(
  { contentType, body }: Notification,
  { mediaType }: Pick<EventPackage<never>, 'mediaType'>,
): EventDocument | undefined {
  if (body.length === 0) return undefined;
  const type = parseContentType(contentType ?? '');
  if (type.mediaType !== mediaType) throw new DecodeError(`a document of the type ${type.mediaType}`);
  const charset = type.parameters.get('charset');
  return { octets: body, ...(charset === undefined ? {} : { charset }) };
}
