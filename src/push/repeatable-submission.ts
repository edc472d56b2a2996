/**
 * Submission for a door at which a request may be repeated until an answer comes through: the push that is held already counts
 * as accepted when the same thing was asked for, and the push-id as used when it was another. The first attempt decides: a
 * repeat is not judged again by deadlines, rights or limits that may have changed since.
 */
import { RefusedError } from '../kernel/errors.js';
import { type PushStory, pushUid } from './push-message.js';
import { type Submission, type SubmissionOptions, type SubmissionPorts, submit } from './submission.js';

/** A submission with the fingerprint by which its repeats are known. */
export type RepeatableSubmission = Submission & Required<Pick<Submission, 'json'>>;

export interface Submitted {
  readonly story: PushStory;
  /** It had been accepted before; nothing was done now. */
  readonly isRepeat: boolean;
}

/** Throws RefusedError as `submit` does; `duplicatePush` means that another push has this push-id. */
export async function submitRepeatably(
  submission: RepeatableSubmission,
  ports: SubmissionPorts,
  options: SubmissionOptions,
): Promise<Submitted> {
  const uid = pushUid(submission.initiator, submission.pushId);
  try {
    await submit(submission, ports, options);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const story = await ports.store.story(uid);
    if (!story) throw error;
    if (story.push.json?.fingerprint === submission.json.fingerprint) return { story, isRepeat: true };
    throw RefusedError.telling('duplicatePush', 'this push-id or Idempotency-Key was used for another push');
  }
  const story = await ports.store.story(uid);
  if (!story) throw new RefusedError('busy', 'the push is accepted but cannot be read at present', 'later');
  return { story, isRepeat: false };
}
