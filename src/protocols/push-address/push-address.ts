/**
 * The client address of a push (WAP-249 §7, design of this gateway): `WAPPUSH=<value>/TYPE=<type>[@<ppg>]`, or a bare
 * `sip:`, `sips:` or `tel:` URI. This file holds the value; `decode-push-address.ts` and `encode-push-address.ts` the text.
 */

/** What `/TYPE=` can say, in the spelling that we emit. The last eleven are the bearer address types of WDP appendix C. */
export const PUSH_ADDRESS_TYPES = [
  'PLMN',
  'USER',
  'IPv4',
  'IPv6',
  'GSM_MSISDN',
  'ANSI_136_MSISDN',
  'IS_637_MSISDN',
  'iDEN_MSISDN',
  'FLEX_MSISDN',
  'PHS_MSISDN',
  'GSM_Service_Code',
  'TETRA_ITSI',
  'TETRA_MSISDN',
  'ReFLEX_MSIDDN',
  'MAN',
] as const;
export type PushAddressType = (typeof PUSH_ADDRESS_TYPES)[number];

export interface PushAddress {
  /** The address exactly as received; every answer echoes it. */
  readonly text: string;
  readonly form: 'wappush' | 'uri';
  /** `USER` for a bare SIP URI, `PLMN` for a bare telephone URI. */
  readonly type: PushAddressType;
  /** The client specifier with its escapes undone: `+43 664…` without separators, an IP address in canonical text, a user name, a URI. */
  readonly value: string;
  /**
   * The identity to look the user up by: a `sip:`, `sips:`, `tel:` or `mailto:` URI, scheme and host in lower case, without
   * parameters. A mail-like USER value (`alice@example.test`) gives `mailto:…`; the caller may also try it as a SIP identity.
   * Absent for a USER value that is a bare name (the caller adds its own domain) and for network addresses.
   */
  readonly recipient?: string;
  /**
   * The device identity that narrows the push to one terminal, as written: the unescaped `/device=` qualifier, or else the
   * whole GRUU when the URI has a `gr` parameter.
   */
  readonly device?: string;
  /** The `/scope=` qualifier, an extension of this gateway: `all` terminals of the user that take the push. */
  readonly scope?: 'all';
  /** The ppg-specifier, in lower case: the domain of the gateway that the initiator means. */
  readonly ppg?: string;
  /** A port written after a USER name (`2100000A:7874`), as BlackBerry initiators do; not part of `value`. */
  readonly port?: number;
}
