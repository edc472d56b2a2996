/**
 * Refusal (SIR-66, SIR-136): a terminal says that it will not connect, by its answer to a SIR or by a report afterwards. What its lane
 * holds for that application is given up, and the initiators learn of it with the reason; the rest of the lane stays.
 */
import type { LaneEntry } from '../lane/lane.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { PushUid } from './push-message.js';
import { type SettlingPorts, settleDelivery } from './settling.js';
import { applicationIdOf } from './submission.js';

/** Mobile client aborted: the terminal, or its user, will not have it (PAP §9.14). */
const REFUSED_CODE = 5000;

export interface Refusal {
  readonly entries: readonly LaneEntry[];
  readonly applicationId: string;
  /** In words for the operator and the initiator. */
  readonly detail: string;
}

/** Safe to repeat. Returns how many deliveries were given up. */
export async function takeRefusal(
  terminal: TerminalId,
  { entries, applicationId, detail }: Refusal,
  ports: SettlingPorts,
): Promise<number> {
  const given = await Promise.all(
    entries.map(async (entry) => {
      const uid = entry.id as PushUid;
      const story = await ports.store.story(uid);
      if (!story || applicationIdOf(story.push.content.headers) !== applicationId) return false;
      const reason = `the terminal refused: ${detail}`;
      return settleDelivery(uid, terminal, { event: 'abort', code: REFUSED_CODE, reason }, ports);
    }),
  );
  return given.filter(Boolean).length;
}
