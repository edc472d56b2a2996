/**
 * Session headers by which a terminal that opens a WSP session shows who it is: the names of OTA-HTTP. There is no request of ours before,
 * so the terminal chooses the nonce of its proof, with the time in front: `1700000000-<random>`. The key is another than that of OTA-HTTP
 * also under the same secret, so that a proof for the one is none for the other.
 */
import { headerValue } from '../../protocols/mime/index.js';
import { sessionProof, terminalKey } from '../../protocols/ota-http/index.js';
import type { WspHeader } from '../../protocols/wsp/index.js';

export interface WspCredentials {
  /** The SIR that it follows. */
  readonly sirId?: string;
  /** A GRUU, or the id by which the gateway knows the terminal. */
  readonly terminalId?: string;
  readonly proof?: string;
  readonly nonce?: string;
}

const SIR_ID = 'X-Push-Sir-Id';
const TERMINAL_ID = 'X-Wap-Terminal-Id';
const PROOF = 'X-Push-Authorization';
const NONCE = 'X-Push-Nonce';

export function readCredentials(headers: readonly WspHeader[]): WspCredentials {
  const given = <Name extends string>(key: Name, name: string) => {
    const value = headerValue(headers, name);
    return (value === undefined || value === '' ? {} : { [key]: value }) as { readonly [N in Name]?: string };
  };
  return {
    ...given('sirId', SIR_ID),
    ...given('terminalId', TERMINAL_ID),
    ...given('proof', PROOF),
    ...given('nonce', NONCE),
  };
}

export function credentialHeaders({ sirId, terminalId, proof, nonce }: WspCredentials): readonly WspHeader[] {
  const fields: readonly (readonly [string, string | undefined])[] = [
    [SIR_ID, sirId],
    [TERMINAL_ID, terminalId],
    [NONCE, nonce],
    [PROOF, proof],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

/** The key of one terminal for WSP: what it is provisioned with. `terminal` is its id as the admin API shows it. */
export function wspTerminalKey(secret: string, terminal: string): Uint8Array {
  return terminalKey(secret, `wsp ${terminal}`);
}

/** What a terminal with this key puts into its Connect. */
export function proofOf(
  key: Uint8Array,
  { now, random }: { readonly now: number; readonly random: Uint8Array },
): Required<Pick<WspCredentials, 'nonce' | 'proof'>> {
  const nonce = `${Math.floor(now / 1000)}-${Buffer.from(random).toString('base64url')}`;
  return { nonce, proof: sessionProof(key, nonce) };
}

/** When a nonce was made (ms epoch); undefined for one of another form. */
export function nonceTime(nonce: string): number | undefined {
  const [, seconds] = /^([0-9]{1,12})-[A-Za-z0-9_-]{8,64}$/.exec(nonce) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
