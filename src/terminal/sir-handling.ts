/**
 * From a received SIR to what the terminal does about it, in the order of the requirement's client decision: judge, ask the
 * user, answer, activate (when before), connect, activate (when after), return what was asked for (SIR-96 … SIR-100, SIR-105,
 * SIR-115 … SIR-119, SIR-148 … SIR-156). The judgement itself is in `judgement.ts`, the answer in `sir-answer.ts`.
 */
import type { Clock } from '../kernel/clock.js';
import { describeError } from '../kernel/errors.js';
import type { DeviceIdentity } from '../registry/device-identity.js';
import { activateApplication } from './application-activating.js';
import { statedName } from './identity-comparing.js';
import {
  isConnectedByAnyOffer,
  type Judgement,
  judgeAnswer,
  judgement,
  judgeSir,
  type OwnSituation,
} from './judgement.js';
import type { SessionCause } from './push-session.js';
import type { ReceivedIds } from './received-ids.js';
import { type RespondingPorts, rejectSir, respondToSir } from './responding.js';
import { chosenOffer, type SessionOffer } from './session-offer.js';
import type { ReceivedSir } from './sir.js';
import { tellsRefusal } from './sir-answer.js';
import type { TerminalEventFeed } from './terminal-events.js';
import type { Information, TerminalPolicy, UserAnswer } from './terminal-options.js';

export interface SirHandlingPorts {
  readonly ids: Pick<ReceivedIds, 'has' | 'remember'>;
  /** Connected or connecting to the place with this `offerKey`. */
  readonly isConnectedTo: (place: string) => boolean;
  /** Does what makes content come: connects or registers, after the profile. Rejects when that fails. */
  readonly connect: (offer: SessionOffer, cause: SessionCause) => Promise<void>;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
  readonly clock: Clock;
  readonly policy: TerminalPolicy;
  /** The part of the situation that this file does not know itself. */
  readonly own: () => Pick<OwnSituation, 'identities' | 'users' | 'isRegistrar'>;
  readonly instance: DeviceIdentity;
  readonly responding: Omit<RespondingPorts, 'onReturned' | 'deviceName'>;
}

export class SirHandling {
  readonly #ports: SirHandlingPorts;
  /** Ids that are being judged or written down. */
  readonly #underWay = new Set<string>();
  #lastGateway: string | undefined;

  constructor(ports: SirHandlingPorts) {
    this.#ports = ports;
  }

  /** SIP gateway of the last SIR that would be followed. */
  get lastGateway(): string | undefined {
    return this.#lastGateway;
  }

  get policy(): TerminalPolicy {
    return this.#ports.policy;
  }

  /** Judges a SIR and reports it. Does not act yet: whoever received it answers first, then calls `follow`. */
  async judge(sir: ReceivedSir): Promise<Judgement> {
    const judged = this.#underWay.has(sir.id) ? judgement('duplicate') : await this.#judgeOnce(sir);
    this.#ports.events.emit({ kind: 'sir', sir, judgement: judged });
    return judged;
  }

  /**
   * Connects and does what the SIR asks for, when it is to be followed; tells that it is not, when the sender wants to hear it and the carrier
   * of the SIR has no answer. Never rejects: failures are reported.
   */
  async follow(sir: ReceivedSir, judged: Judgement): Promise<void> {
    const { policy, events } = this.#ports;
    try {
      const offer = chosenOffer(sir, policy);
      if (judged.verdict === 'connect' && offer !== undefined) await this.#connect(sir, offer);
      else if (!hasAnswer(sir) && tellsRefusal(sir, judged, policy)) {
        await rejectSir(sir, judged, this.#responding(sir));
      }
    } catch (error) {
      events.emit({ kind: 'error', doing: 'following a SIR', reason: describeError(error) });
    }
  }

  async #connect(sir: ReceivedSir, offer: SessionOffer): Promise<void> {
    const { policy, connect, events } = this.#ports;
    const activate = () => activateApplication(sir, policy, events);
    let information: Information | undefined;
    if (policy.activation === 'before') information = await activate();
    const { citableId: sirId } = sir;
    const deviceName = this.#nameIn(sir);
    await connect(offer, {
      ...(sirId === undefined ? {} : { sirId }),
      ...(deviceName === undefined ? {} : { deviceName }),
    });
    information ??= await activate();
    await respondToSir(sir, information, this.#responding(sir));
  }

  /** How the gateway of the SIR knows this terminal, where that is not by its instance. */
  #nameIn({ devices }: ReceivedSir): string | undefined {
    const { own, instance } = this.#ports;
    return statedName(devices, own().identities, instance);
  }

  #responding(sir: ReceivedSir): RespondingPorts {
    const { responding, events } = this.#ports;
    return {
      ...responding,
      deviceName: this.#nameIn(sir),
      onReturned: (information, returned) => events.emit({ kind: 'returned', information, ...returned }),
    };
  }

  async #judgeOnce(sir: ReceivedSir): Promise<Judgement> {
    this.#underWay.add(sir.id);
    try {
      const first = judgeSir(sir, this.#situation());
      const judged = first.verdict === 'connect' ? await this.#decide(sir, first) : first;
      if (first.verdict === 'connect' || first.verdict === 'refuse') await this.#remember(sir);
      return judged;
    } finally {
      this.#underWay.delete(sir.id);
    }
  }

  /** The user comes last: nobody is asked about a SIR that would not be followed anyway. */
  async #decide(sir: ReceivedSir, first: Judgement): Promise<Judgement> {
    const { askUser, connect } = this.#ports.policy;
    const offer = chosenOffer(sir, this.#ports.policy);
    this.#lastGateway = offer?.way === 'sip' ? offer.gateway : sir.gateway;
    if (askUser !== undefined) {
      const answer = await this.#askUser(sir, askUser);
      const isConnected = isConnectedByAnyOffer(sir, this.#ports);
      const judged = judgeAnswer(first, answer, { isConnected });
      if (judged.verdict !== 'connect') return judged;
    }
    return connect === 'manually' ? judgement('leftToCaller') : first;
  }

  /** The answer; undefined when there is none in time, or asking failed. */
  async #askUser(
    sir: ReceivedSir,
    askUser: NonNullable<TerminalPolicy['askUser']>,
  ): Promise<UserAnswer | undefined> {
    const { clock, events, policy } = this.#ports;
    const lapsed = new AbortController();
    events.emit({ kind: 'asking', sir });
    return new Promise((resolve) => {
      const timer = clock.after(policy.askUserTimeoutMs, () => {
        lapsed.abort();
        resolve(undefined);
      });
      askUser(sir, lapsed.signal)
        .catch((error: unknown) => {
          events.emit({ kind: 'error', doing: 'asking the user', reason: describeError(error) });
          return undefined;
        })
        .then((answer) => {
          timer.cancel();
          resolve(answer);
        });
    });
  }

  /** Only SIRs that were for us are kept, so that nobody can fill the memory with others. */
  async #remember(sir: ReceivedSir): Promise<void> {
    try {
      await this.#ports.ids.remember('sir', sir.id);
    } catch (error) {
      this.#ports.events.emit({ kind: 'error', doing: 'remembering a SIR', reason: describeError(error) });
    }
  }

  #situation(): OwnSituation {
    const { ids, isConnectedTo, clock, policy, own } = this.#ports;
    return {
      ...own(),
      now: clock.now(),
      hasSeen: (id) => ids.has('sir', id),
      isConnectedTo,
      policy,
    };
  }
}

/** Does the carrier of the SIR take an answer, by which a refusal was told? */
function hasAnswer({ carrier }: ReceivedSir): boolean {
  return carrier === 'sip' || carrier === 'http';
}
