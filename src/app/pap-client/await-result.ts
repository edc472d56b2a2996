/**
 * Waits until a push has come to its end for every address: asks with status queries that get rarer, and takes result
 * notifications where the gateway may send them. Whichever tells first counts.
 */
import type { Clock } from '../../kernel/clock.js';
import { DeliveryError } from '../../kernel/errors.js';
import type { MessageState, StatusQueryResult } from '../../protocols/pap/index.js';
import type { PapClient } from './pap-client.js';

export interface AddressResult {
  readonly address: string;
  readonly state: MessageState;
  readonly code: number;
  readonly desc?: string;
  /** Milliseconds since the epoch. */
  readonly eventTime?: number;
  readonly toldBy: 'statusquery' | 'notification';
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

/**
 * Resolves with the results when the last one is there, or with those that are when the time is up. `notified` is asked in
 * between for what has been posted meanwhile.
 */
export async function awaitResult(
  client: Pick<PapClient, 'status'>,
  push: { readonly pushId: string; readonly addresses: readonly string[] },
  options: {
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly notified?: () => readonly AddressResult[];
  },
): Promise<ReadonlyMap<string, AddressResult>> {
  const { clock, timeoutMs, notified = () => [] } = options;
  const deadline = clock.now() + timeoutMs;
  const results = new Map<string, AddressResult>();
  const keep = (result: AddressResult) => {
    if (result.state !== 'pending' && !results.has(result.address)) results.set(result.address, result);
  };
  const isComplete = () => push.addresses.every((address) => results.has(address));
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    for (const result of notified()) keep(result);
    if (!isComplete()) for (const result of await ask(client, push)) keep(result);
    const left = deadline - clock.now();
    if (isComplete() || left <= 0) return results;
    await new Promise<void>((resolve) => clock.after(Math.min(pause, left), resolve));
  }
}

/** The states now; none while the gateway is away, which may be back before the time is up. */
async function ask(
  client: Pick<PapClient, 'status'>,
  push: { readonly pushId: string; readonly addresses: readonly string[] },
): Promise<readonly AddressResult[]> {
  try {
    return byAddress(await client.status(push.pushId), push.addresses);
  } catch (error) {
    if (error instanceof DeliveryError && error.retry !== 'never') return [];
    throw error;
  }
}

/** A result that names no address is about all of the push. */
function byAddress(results: readonly StatusQueryResult[], all: readonly string[]): readonly AddressResult[] {
  return results.flatMap(({ addresses, messageState, code, desc, eventTime }) =>
    (addresses.length === 0 ? all : addresses).map((address) => ({
      address,
      state: messageState,
      code,
      ...(desc === undefined ? {} : { desc }),
      ...(eventTime === undefined ? {} : { eventTime }),
      toldBy: 'statusquery' as const,
    })),
  );
}
