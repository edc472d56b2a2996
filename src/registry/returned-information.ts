/**
 * What terminals return when a session initiation request asks for it (SIR-62 … SIR-65, SIR-135): kept with the terminal, one version
 * for each kind, and used by the next decision. Capabilities go the way of every capability report (`capabilities.ts`), preferences
 * into `stated-preferences.ts`; subscriptions and security are read here. Pure.
 */
import { withReport } from './capabilities.js';
import type { ReturnedKind } from './returned.js';
import { statedCapabilities } from './stated-capabilities.js';
import type { Terminal } from './user.js';

/** The terminal with what it returned in the place of what it returned before. */
export function withReturned(
  terminal: Terminal,
  kind: ReturnedKind,
  information: unknown,
  at: number,
): Terminal {
  const before = terminal.returned?.[kind];
  const returned = { ...terminal.returned, [kind]: { version: (before?.version ?? 0) + 1, at, information } };
  const kept = { ...terminal, returned };
  return kind === 'capability'
    ? withReport(kept, 'returned', { ...statedCapabilities(recordOf(information)), at })
    : kept;
}

/**
 * Application ids that the terminal takes: as provisioned, else as it returned them (`{"applications": [...]}` with ids, or objects with
 * `id` and `state`). Undefined: everything.
 */
export function subscriptionsOf(
  terminal: Pick<Terminal, 'subscriptions' | 'returned'>,
): readonly string[] | undefined {
  if (terminal.subscriptions) return terminal.subscriptions;
  const { applications } = recordOf(terminal.returned?.subscription?.information);
  if (!Array.isArray(applications)) return undefined;
  return applications.flatMap((entry: unknown) => {
    if (typeof entry === 'string') return [entry];
    const { id, state = 'active' } = recordOf(entry);
    return typeof id === 'string' && state === 'active' ? [id] : [];
  });
}

/**
 * Gateways that the terminal trusts, as it returned them (`{"trustedGateways": ["sip:ppg@example.test"]}`); undefined when it has not
 * said.
 */
export function trustedGateways({ returned }: Pick<Terminal, 'returned'>): readonly string[] | undefined {
  const { trustedGateways: list } = recordOf(returned?.security?.information);
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
