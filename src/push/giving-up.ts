/**
 * Giving up: a bearer has failed with a push for good, by its network's answer or by a receipt later. Other bearers may bring it, where the
 * gateway has a way by one; else the delivery has failed. One script records which of the two it is, so that no crash loses it.
 */
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Way } from './bearer-choice.js';
import type { PushHead } from './push-message.js';
import { type SettlingPorts, settleDelivery } from './settling.js';

export interface GivingUpPorts extends SettlingPorts {
  /** The ways to the terminal for this push, by rules and preferences, of the bearers that this gateway has. */
  readonly ways: (terminal: TerminalId, push: PushHead) => Promise<readonly Way[]>;
}

export interface GivenUp {
  readonly terminal: TerminalId;
  readonly bearer: BearerName;
  /** Bearers that have given it up before. */
  readonly failedBearers: readonly string[];
  /** In words for the operator and the initiator. */
  readonly detail: string;
  /** What the initiator is told when it has failed; absent: the code of the state. */
  readonly code?: number;
}

/** `next`: it is held for the next bearer. `elsewhere`: another bearer has it by now. `ended`: it has failed, or had ended before. Safe to repeat. */
export type AfterGivingUp = 'next' | 'elsewhere' | 'ended';

export async function giveUp(
  push: PushHead,
  { terminal, bearer, failedBearers, detail, code }: GivenUp,
  ports: GivingUpPorts,
): Promise<AfterGivingUp> {
  const { uid } = push;
  if (await hasOtherWay(push, terminal, [...failedBearers, bearer], ports)) {
    const state = await ports.store.giveUp(uid, terminal, { bearer, at: ports.clock.now() });
    if (state === 'held') return 'next';
    return state === 'handed' ? 'elsewhere' : 'ended';
  }
  const told = code === undefined ? {} : { code };
  await settleDelivery(uid, terminal, { event: 'fail', reason: detail, ...told }, ports);
  return 'ended';
}

/** What another gateway gave up is given up: it had the ways. */
async function hasOtherWay(
  push: PushHead,
  terminal: TerminalId,
  failed: readonly string[],
  { ways }: GivingUpPorts,
): Promise<boolean> {
  if (failed.includes('delegate')) return false;
  return (await ways(terminal, push)).some(({ bearer }) => !failed.includes(bearer));
}
