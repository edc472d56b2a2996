/**
 * What reaching out to a terminal has to know of a push: its application, which terminals the initiator named, and the quality of
 * service that it asked for. None of it ever changes, and a
 * push for a thousand users is asked for by a thousand lanes within a moment, so the last few are remembered.
 */
import type { LaneEntry } from '../lane/lane.js';
import type { Priority, QualityOfService } from '../protocols/pap/index.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { PushStore } from './ports.js';
import type { PushStory, PushUid } from './push-message.js';
import { applicationIdOf } from './submission.js';

export interface InitiatingPush {
  readonly applicationId: string;
  readonly named: ReadonlySet<TerminalId>;
  readonly quality?: QualityOfService;
  readonly contentType: string;
  /** Octets. */
  readonly size: number;
  readonly priority: Priority;
}

/** Pushes remembered: a few that go to many at once. */
const MAX_REMEMBERED = 32;

export class RecentPushes {
  readonly #store: Pick<PushStore, 'story'>;
  readonly #recent = new Map<PushUid, Promise<InitiatingPush | undefined>>();

  constructor(store: Pick<PushStore, 'story'>) {
    this.#store = store;
  }

  /** The first of the entries of a lane: the one that is reached out for. */
  async firstOf([first]: readonly LaneEntry[]): Promise<InitiatingPush | undefined> {
    return first && this.find(first.id as PushUid);
  }

  /** Undefined when the push is no longer kept. */
  find(uid: PushUid): Promise<InitiatingPush | undefined> {
    const known = this.#recent.get(uid);
    if (known) return known;
    const reading = this.#store.story(uid).then((story) => (story ? initiatingPush(story) : undefined));
    this.#recent.set(uid, reading);
    const forget = () => {
      if (this.#recent.get(uid) === reading) this.#recent.delete(uid);
    };
    // What is not there now, or could not be read, may be the next time.
    reading.then((push) => push ?? forget(), forget);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
    return reading;
  }
}

/** What there is to know of a push for reaching out. */
export function initiatingPush({ push }: PushStory): InitiatingPush {
  const named = push.recipients
    .filter(({ decision }) => decision?.policy === 'named by the initiator')
    .flatMap(({ terminals }) => terminals);
  const { quality, content } = push;
  return {
    applicationId: applicationIdOf(content.headers),
    named: new Set(named),
    contentType: content.contentType,
    size: content.size,
    priority: quality?.priority ?? 'medium',
    ...(quality === undefined ? {} : { quality }),
  };
}
