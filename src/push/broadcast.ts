/**
 * A SIR to all terminals of a user (modes B, C and P; SIR-114, SIR-120, SIR-126): by the bearer whose turn it is to every terminal that has it. One that
 * names nobody is for those as well who are reached by other bearers alone, each by its own way, so that a phone with SMS and a PC with SIP hear of
 * the same push. One that names a terminal is for those among whom that one has to be found, and for nobody else.
 */
import type { WakeRequest } from '../lane/ports.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { Terminal } from '../registry/user.js';
import type { Way } from './bearer-choice.js';
import { together } from './bearer-outcome.js';
import type { Bearer, BearerOutcome } from './ports.js';
import { type Reach, type ReachPorts, reachOf } from './reach.js';
import type { Sir } from './sir.js';
import { offeredTo } from './sir-plan.js';

type BroadcastPorts = Pick<ReachPorts, 'bearers' | 'rules' | 'costs'>;

interface Copy {
  readonly to: Terminal;
  readonly bearer: Bearer;
  readonly address: string | undefined;
  readonly sir: Sir;
}

/** Never rejects. */
export async function sendToAll(
  reach: Reach,
  way: Way,
  sir: Sir,
  request: Pick<WakeRequest, 'method' | 'now'>,
  ports: BroadcastPorts,
): Promise<BearerOutcome> {
  const copies = [
    ...copiesByThisWay(reach, way, sir, ports),
    ...(sir.device === undefined ? await copiesByOtherWays(reach, way, sir, request, ports) : []),
  ];
  const outcomes = await Promise.all(
    copies.map(({ to, bearer, address, sir: copy }) => bearer.wake(to, copy, address)),
  );
  const [only] = outcomes;
  if (only && outcomes.length === 1) return only;
  return merged(reach.terminal, sir, copies, outcomes);
}

/** By SIP the bearer itself finds every contact of the user. */
function copiesByThisWay(
  { terminal, user }: Reach,
  way: Way,
  sir: Sir,
  { bearers }: BroadcastPorts,
): readonly Copy[] {
  const bearer = bearers.get(way.bearer);
  if (!bearer) return [];
  if (way.bearer === 'sip') return [{ to: terminal, bearer, address: way.address, sir }];
  return user.terminals.flatMap((to) =>
    to.activation
      .filter((method) => method.bearer === way.bearer)
      .map(({ address }) => ({ to, bearer, address, sir: copyFor(to, sir) })),
  );
}

async function copiesByOtherWays(
  { user, push }: Reach,
  { bearer: taken }: Way,
  sir: Sir,
  { method, now }: Pick<WakeRequest, 'method' | 'now'>,
  ports: BroadcastPorts,
): Promise<readonly Copy[]> {
  const copies: Copy[] = [];
  let isAtEveryContact = taken === 'sip';
  for (const to of user.terminals) {
    if (to.activation.some(({ bearer }) => bearer === taken)) continue;
    if (isAtEveryContact && (await isContact(to, ports))) continue;
    const ways = reachOf(to, { user, push, now }, ports).ways.filter(({ carries }) => carries === 'sir');
    const way = ways[method % Math.max(ways.length, 1)];
    const bearer = way && ports.bearers.get(way.bearer);
    if (!way || !bearer) continue;
    const presence = await bearer.presence?.(to, way.address);
    // Nobody can tell which contact it is: every one is asked.
    if (presence === 'hidden') isAtEveryContact = true;
    const audience = presence === 'hidden' ? 'user' : 'terminal';
    copies.push({ to, bearer, address: way.address, sir: { ...copyFor(to, sir), audience } });
  }
  return copies;
}

/** The same SIR, with the ways to connect that this terminal knows. */
function copyFor(to: Terminal, { otaHttp: _, wsp: __, ...sir }: Sir): Sir {
  return { ...sir, ...offeredTo(to) };
}

/** What goes to every contact reaches it, though it has no activation method that says so. */
async function isContact(to: Terminal, { bearers }: { readonly bearers: ReadonlyMap<BearerName, Bearer> }) {
  return (await bearers.get('sip')?.presence?.(to, undefined)) !== 'absent';
}

/** Where the SIR names a terminal, only that one can refuse: the others say no to what is not for them. */
function merged(
  { id: speaker }: Terminal,
  { device }: Sir,
  copies: readonly Copy[],
  outcomes: readonly BearerOutcome[],
): BearerOutcome {
  const refusals = outcomes.flatMap(({ kind, detail, refusals: told }, index) => {
    const who = copies[index]?.to.id;
    if (told !== undefined) return told;
    const isMeant = device === undefined || who === speaker;
    return kind === 'refused' && who !== undefined && isMeant ? [{ terminal: who, detail }] : [];
  });
  const { kind, detail, retryAt } = together(
    outcomes,
    copies.map(({ to }) => to.name),
  );
  const own = refusals.find(({ terminal }) => terminal === speaker);
  if (own) return { kind: 'refused', detail: own.detail, refusals };
  const later = retryAt === undefined ? {} : { retryAt };
  return { kind: kind === 'refused' ? 'failed' : kind, detail, refusals, ...later };
}
