/**
 * A source that is asked by subscription: one for each user that somebody asks about, made at the first question, kept while there are
 * questions and a while longer, so that the next answer is there at once and changes are heard of. The least recently asked make room.
 * With a life of zero nothing is kept: each question is a fetch.
 */
import { DecodeError, DeliveryError } from '../kernel/errors.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { SourceAnswer, TerminalSource } from '../registry/terminal-source.js';
import type { Subscriber } from '../transports/sip-stack/subscriber.js';
import { documentIn, type EventPackage, targetOf } from './event-package.js';
import { WatchedUser, type WatchedUserOptions, type WatchedUserPorts } from './watched-user.js';

export interface SubscribedUsersPorts extends WatchedUserPorts {
  readonly subscriber: Pick<Subscriber, 'subscribe' | 'fetch'>;
}

/** A `lifeMs` of 0 keeps no subscription. */
export interface SubscribedUsersOptions extends WatchedUserOptions {
  /** Users watched, or fetched, at once. */
  readonly maxUsers: number;
}

const NOT_SIP: SourceAnswer = {
  kind: 'missing',
  why: 'notConfigured',
  detail: 'the user has no SIP or telephone address',
};

export class SubscribedUsers<View> implements TerminalSource {
  readonly #package: EventPackage<View>;
  readonly #ports: SubscribedUsersPorts;
  readonly #options: SubscribedUsersOptions;
  /** The least recently asked first. */
  readonly #watches = new Map<PublicUserIdentity, WatchedUser<View>>();
  readonly #fetches = new Map<PublicUserIdentity, Promise<SourceAnswer>>();

  constructor(
    eventPackage: EventPackage<View>,
    ports: SubscribedUsersPorts,
    options: SubscribedUsersOptions,
  ) {
    this.#package = eventPackage;
    this.#ports = ports;
    this.#options = options;
  }

  get name() {
    return this.#package.source;
  }

  /** Users that are watched now. */
  get size(): number {
    return this.#watches.size;
  }

  async states(user: PublicUserIdentity): Promise<SourceAnswer> {
    if (!/^(?:sips?|tel):/.test(user)) return NOT_SIP;
    if (this.#options.lifeMs === 0) return this.#fetched(user);
    try {
      return await this.#watch(user).answer();
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error; // there are too many subscriptions
      return { kind: 'missing', why: 'timeout', detail: error.detail };
    }
  }

  /** Something has changed for the user, the source's side says: asks for the whole state, also of one that nobody asked about yet. */
  refresh(user: PublicUserIdentity): void {
    const known = this.#watches.get(user);
    if (known !== undefined) known.refresh();
    else void this.states(user);
  }

  /** Forgets everybody; the subscriptions are the subscriber's to close. */
  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #watch(user: PublicUserIdentity): WatchedUser<View> {
    const watch = this.#watches.get(user) ?? this.#newWatch(user);
    this.#watches.delete(user);
    this.#watches.set(user, watch);
    return watch;
  }

  #newWatch(user: PublicUserIdentity): WatchedUser<View> {
    const { maxUsers } = this.#options;
    for (const [oldest, watch] of this.#watches) {
      if (this.#watches.size < maxUsers) break;
      this.#watches.delete(oldest);
      watch.end();
    }
    return new WatchedUser(user, this.#package, this.#ports, this.#options, () => this.#watches.delete(user));
  }

  /** Questions about one user at the same time share one fetch. */
  #fetched(user: PublicUserIdentity): Promise<SourceAnswer> {
    const known = this.#fetches.get(user);
    if (known !== undefined) return known;
    if (this.#fetches.size >= this.#options.maxUsers) {
      return Promise.resolve({ kind: 'missing', why: 'timeout', detail: 'too many questions at once' });
    }
    const fetch = this.#fetch(user).finally(() => this.#fetches.delete(user));
    this.#fetches.set(user, fetch);
    return fetch;
  }

  async #fetch(user: PublicUserIdentity): Promise<SourceAnswer> {
    const { subscriber, clock, onChange } = this.#ports;
    try {
      const notification = await subscriber.fetch(targetOf(user, this.#package, this.#options));
      const at = clock.now();
      const { view } = this.#package.apply(undefined, documentIn(notification, this.#package), at);
      const state = { at, devices: view === undefined ? [] : this.#package.devices(view) };
      onChange(user, state, state.devices);
      return { kind: 'found', ...state };
    } catch (error) {
      if (error instanceof DecodeError) return { kind: 'missing', why: 'refused', detail: error.detail };
      if (!(error instanceof DeliveryError)) throw error;
      return {
        kind: 'missing',
        why: error.code === 'forbidden' ? 'refused' : 'timeout',
        detail: error.detail,
      };
    }
  }
}
