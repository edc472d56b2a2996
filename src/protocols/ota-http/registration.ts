/**
 * Registration by OTA-HTTP (WAP-235): the gateway asks with `OPTIONS /wappush`, the terminal says who it is and what it takes. Ours
 * are the fields by which it shows that it is who it says, where it called us: `X-Push-Sir-Id` names the request that it follows,
 * `X-Push-Authorization` proves a key over our `X-Push-Nonce` (`session-proof.ts`). What the fields of its capabilities mean is read in
 * the registry.
 */
import { type HeaderField, headerValue } from '../mime/index.js';
import { OTA_VERSION } from './push-request.js';
import { parsePushStatus } from './push-status-table.js';

export interface RegistrationRequest {
  /** What we take the terminal for, in the text that it used itself. */
  readonly cpiTag?: string;
  readonly nonce?: string;
}

/** Header fields of the OPTIONS. */
export function registrationHeaders({ cpiTag, nonce }: RegistrationRequest): readonly HeaderField[] {
  return [
    { name: 'X-Wap-Push-OTA-Version', value: OTA_VERSION },
    ...(cpiTag === undefined ? [] : [{ name: 'X-Wap-CPITag', value: cpiTag }]),
    ...(nonce === undefined ? [] : [{ name: 'X-Push-Nonce', value: nonce }]),
  ];
}

export interface Registration {
  /** The capabilities are those that our tag stands for: the answer need not tell them. */
  readonly isConfirmed: boolean;
  /** `X-Wap-Terminal-Id`. */
  readonly terminalId?: string;
  readonly cpiTag?: string;
  /** Pushes that it takes without having answered the one before. */
  readonly maxPushRequests: number;
  readonly sirId?: string;
  /** Scheme and value of `X-Push-Authorization`. */
  readonly proof?: string;
}

const MATCHED = 500;
/** Whatever a terminal claims. */
const MAX_PUSH_REQUESTS = 1000;
const MAX_TEXT_LENGTH = 512;

/** What a terminal answered. Undefined for an answer that is no registration. */
export function readRegistration({
  status,
  headers,
}: {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}): Registration | undefined {
  if (status < 200 || status > 299) return undefined;
  const text = (name: string) => {
    const value = headerValue(headers, name);
    return value === undefined || value === '' || value.length > MAX_TEXT_LENGTH ? undefined : value;
  };
  const found = {
    terminalId: text('x-wap-terminal-id'),
    cpiTag: text('x-wap-cpitag'),
    sirId: text('x-push-sir-id'),
    proof: text('x-push-authorization'),
  };
  return {
    isConfirmed: parsePushStatus(text('x-wap-push-status') ?? '') === MATCHED,
    maxPushRequests: pushRequests(text('x-wap-push-accept-maxpushreq')),
    ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<
      Record<keyof typeof found, string>
    >),
  };
}

/** One at a time, unless it says more. */
function pushRequests(text = ''): number {
  return /^[0-9]{1,6}$/.test(text) ? Math.min(Math.max(Number(text), 1), MAX_PUSH_REQUESTS) : 1;
}
