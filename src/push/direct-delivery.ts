/**
 * Direct delivery: a bearer that carries the push itself, seen by the lane as a connection that is always there. What the
 * bearer cannot carry is left to a SIR. Documents go out in their binary form, which is what terminals read from most bearers.
 */
import type {
  ConnectionItem,
  ConnectionOutcome,
  DirectWay,
  TerminalConnection,
  WakeRequest,
} from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { Terminal } from '../registry/user.js';
import type { Way } from './bearer-choice.js';
import { binaryTypeOf } from './content-conversion.js';
import type { Bearer } from './ports.js';
import { type ReachPorts, reachFor } from './reach.js';

/** Deliveries under way to one terminal at a time: enough to fill a link, few enough to keep their order. */
const WINDOW = 8;

/** Activation method number `method` of the terminal as a connection; undefined when it sends SIRs, or there is none. */
export async function directWay(
  terminalId: TerminalId,
  request: WakeRequest,
  ports: ReachPorts,
): Promise<DirectWay | undefined> {
  const reach = await reachFor(terminalId, request, ports);
  if (!reach || reach.quietUntil !== undefined) return undefined;
  const { terminal, ways } = reach;
  const way = ways[request.method % Math.max(1, ways.length)];
  const bearer = way && ports.bearers.get(way.bearer);
  if (way?.carries !== 'content' || !bearer) return undefined;
  return { connection: new DirectConnection(terminal, way, bearer), methods: ways.length };
}

class DirectConnection implements TerminalConnection {
  readonly bearer: Way['bearer'];
  readonly window = WINDOW;
  readonly isOpen = true;
  readonly #terminal: Terminal;
  readonly #way: Way;
  readonly #bearer: Bearer;

  constructor(terminal: Terminal, way: Way, bearer: Bearer) {
    this.bearer = way.bearer;
    this.#terminal = terminal;
    this.#way = way;
    this.#bearer = bearer;
  }

  accepts(contentType: string): boolean {
    const [type = ''] = contentType.split(';', 1);
    const mediaType = type.trim().toLowerCase();
    const isDocument = binaryTypeOf(mediaType) !== undefined;
    return !isDocument || (this.#bearer.readsText?.(this.#terminal, mediaType) ?? false);
  }

  async deliver(item: ConnectionItem): Promise<ConnectionOutcome> {
    const { content } = item;
    if (!(content instanceof Uint8Array)) return { kind: 'unfit', detail: `too large for ${this.bearer}` };
    const carried = await this.#bearer.carry?.(this.#terminal, { ...item, content }, this.#way.address);
    return carried ?? { kind: 'unfit', detail: `${this.bearer} carries no content` };
  }
}
