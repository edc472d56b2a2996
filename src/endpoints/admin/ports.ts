/**
 * What the admin endpoint needs from the gateway behind it. `app/` fills these. Methods may reject: the endpoint answers with a
 * problem document for the code of a `GatewayError`, and with `internal` for anything else.
 */
import type { RandomBytes } from '../../kernel/clock.js';
import type { LaneStore } from '../../lane/ports.js';
import type { Cancelled } from '../../push/cancellation.js';
import type { Explanation, ExplanationSubject } from '../../push/explanation.js';
import type { InitiatorQuotas } from '../../push/initiator-quota.js';
import type { LaneKick, PushStore } from '../../push/ports.js';
import type { PushUid } from '../../push/push-message.js';
import type { GroupDirectory } from '../../registry/group.js';
import type { InitiatorDirectory } from '../../registry/initiator.js';
import type { Registry } from '../../registry/ports.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { User } from '../../registry/user.js';
import type { Log } from '../../telemetry/log.js';
import type { RecentEvents } from '../../telemetry/recent-events.js';
import type { LinkMode, LinkView } from '../../transports/smpp/link-options.js';
import type { Audit } from './audit.js';
import type { AdminTokens } from './bearer-token.js';

export interface AdminPorts extends AdminTokens {
  /** Realm of the built-in registrar: it goes into the digest credentials of a user. */
  readonly realm: string;
  readonly registry: Registry;
  readonly groups: GroupDirectory;
  readonly initiators: InitiatorDirectory;
  readonly quotas: Pick<InitiatorQuotas, 'usage'>;
  readonly pushes: Pick<PushStore, 'story' | 'list'>;
  readonly lanes: Pick<LaneStore, 'view'>;

  /** What would happen to such a push now, and why. */
  explain(user: User, subject: ExplanationSubject): Promise<Explanation>;

  /** Takes back what is still held of a push. Rejects with `pushNotFound`. */
  cancel(uid: PushUid, reason: string): Promise<readonly Cancelled[]>;

  /**
   * The terminal was provisioned anew: what its lane holds may be reachable now by a way that was not there before. Forgets
   * how waking it went so far and runs the lane soon. Never throws.
   */
  readonly kick: LaneKick;

  /**
   * Settles everything that the lane of a terminal holds as `undeliverable` for this reason, so that initiators are told, and
   * empties the lane. An empty lane is no error; safe to repeat. Called before and after the terminal leaves the registry.
   */
  abandonLane(terminal: TerminalId, reason: string): Promise<void>;

  /** Nothing is delivered to the terminal and it is not woken, on no node, until `releaseLane`. Says whether that is new. */
  holdLane(terminal: TerminalId, reason: string): Promise<boolean>;
  /** Ends a hold and runs the lane at once. Says whether there was one. */
  releaseLane(terminal: TerminalId): Promise<boolean>;

  /** Links to message centres, in the order of the configuration. */
  readonly links: LinkDirectory;

  status(): Promise<AdminStatus>;
  /** The metrics in the Prometheus text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Why the gateway cannot take messages now, in one sentence that may be shown to anybody; undefined when it can. */
  problem(): Promise<string | undefined>;

  /** Path of the OpenAPI description that is served. */
  readonly openapiFile: string | URL;
  readonly random: RandomBytes;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** Told of every change that was asked for. */
  readonly audit: Audit;
  /** What happens in this process. */
  readonly events: Pick<RecentEvents, 'follow' | 'after'>;
  /** Aborted when the endpoint is to stop: answers that would never end are ended. */
  readonly stopping: AbortSignal;
}

export interface LinkDirectory {
  list(): readonly LinkView[];
  /**
   * Tells the link of that name what to do, on every node and after every restart, until it is told otherwise. Resolves when that is
   * durable and this process does so.
   */
  order(name: string, mode: LinkMode, reason?: string): Promise<void>;
}

export interface AdminStatus {
  readonly version: string;
  readonly node: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Figures of the moment, by name: lanes that hold something, push sessions of this node, reports owed … */
  readonly counts: Readonly<Record<string, number>>;
  /** `applicationServerKey` for pages that subscribe; absent without Web Push. */
  readonly webPush?: { readonly publicKey: string };
}
