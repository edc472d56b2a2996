/**
 * Application ids that have a number (WAP-235 §6.2, OMNA): values of X-Wap-Application-Id and Accept-Application.
 * Any other id travels as text.
 */
const APPLICATION_IDS: readonly (readonly [number, string])[] = [
  [0x00, 'x-wap-application:*'],
  [0x01, 'x-wap-application:push.sia'],
  [0x02, 'x-wap-application:wml.ua'],
  [0x03, 'x-wap-application:wta.ua'],
  [0x04, 'x-wap-application:mms.ua'],
  [0x05, 'x-wap-application:push.syncml'],
  [0x06, 'x-wap-application:loc.ua'],
  [0x07, 'x-wap-application:syncml.dm'],
  [0x08, 'x-wap-application:drm.ua'],
  [0x09, 'x-wap-application:emn.ua'],
  [0x0a, 'x-wap-application:wv.ua'],
  [0x10, 'x-oma-application:ulp.ua'],
  [0x11, 'x-oma-application:dlota.ua'],
  [0x12, 'x-oma-application:java-ams'],
  [0x13, 'x-oma-application:bcast.ua'],
  [0x14, 'x-oma-application:dpe.ua'],
  [0x15, 'x-oma-application:cpm:ua'],
  [0x16, 'x-oma-application:evvm.ua'],
  [0x1a, 'x-wap-application:lwm2m.dm'],
];

export const APPLICATION_ID_BY_CODE: ReadonlyMap<number, string> = new Map(APPLICATION_IDS);
export const APPLICATION_ID_CODES: ReadonlyMap<string, number> = new Map(
  APPLICATION_IDS.map(([code, id]) => [id.toLowerCase(), code]),
);
