/** Bearers by name, as activation methods, rules and records write them. */

export const BEARER_NAMES = ['sip', 'sms', 'wsp', 'ota-http', 'ussd', 'http-callback', 'web-push'] as const;
/** What activation methods name; and `delegate`, another gateway that does the rest, which only a rule names. */
export type BearerName = (typeof BEARER_NAMES)[number] | 'delegate';
