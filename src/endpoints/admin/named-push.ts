/** Finds the push that a request names by its push-id, and by its initiator where several have used the same. */
import { RefusedError } from '../../kernel/errors.js';
import { type PushStory, pushUid } from '../../push/push-message.js';
import type { AdminPorts } from './ports.js';

/** Longest push-id looked for, in characters. */
const MAX_PUSH_ID_LENGTH = 1024;
/** Initiators probed at a time for a push-id without its initiator. */
const PROBES_AT_ONCE = 32;

/** Its story. Without the initiator the id has to be that of one push. Throws RefusedError `pushNotFound`, or `conflict` when it is not. */
export async function namedPush(
  pushId: string,
  initiator: string | undefined,
  ports: Pick<AdminPorts, 'initiators' | 'pushes'>,
): Promise<PushStory> {
  if (pushId.length > MAX_PUSH_ID_LENGTH) throw notFound();
  if (initiator !== undefined) {
    const story = await ports.pushes.story(pushUid(initiator, pushId));
    if (!story) throw notFound();
    return story;
  }
  const [story, other] = await storiesOfAnybody(pushId, ports);
  if (!story) throw notFound();
  if (other) {
    const detail = 'several initiators have used this push-id: name one by the query parameter "initiator"';
    throw new RefusedError('conflict', detail);
  }
  return story;
}

/** The first two pushes of this id, whoever submitted them. Only initiators that are still known can be asked for. */
async function storiesOfAnybody(
  pushId: string,
  { initiators, pushes }: Pick<AdminPorts, 'initiators' | 'pushes'>,
): Promise<PushStory[]> {
  const ids = (await initiators.list()).map(({ id }) => id);
  const found: PushStory[] = [];
  for (let start = 0; start < ids.length && found.length < 2; start += PROBES_AT_ONCE) {
    const probes = ids.slice(start, start + PROBES_AT_ONCE).map((id) => pushes.story(pushUid(id, pushId)));
    found.push(...(await Promise.all(probes)).filter((story) => story !== undefined));
  }
  return found;
}

function notFound(): RefusedError {
  return new RefusedError('pushNotFound', 'there is no push of this id');
}
