/**
 * How a terminal that is not registered here can be reached by SIP, as the sources tell it (SIR-12, SIR-74): by the GRUU that its registrar
 * gave it, else by its instance, else by its contact. Pure.
 */
import type { SourceFinding } from './ask-source.js';
import { reportsOf } from './merge-sources.js';
import type { DeviceReport, OutsideSourceName } from './terminal-source.js';
import type { Terminal } from './user.js';

export type OutsideReach =
  | { readonly kind: 'reachable'; readonly uri: string; readonly features: Readonly<Record<string, string>> }
  /** The core answers, and the terminal is not registered there. */
  | { readonly kind: 'absent' }
  /** Nobody can say at present. */
  | { readonly kind: 'unknown' };

/** Registrations tell for certain; presence only what somebody published. */
const ORDER: readonly OutsideSourceName[] = ['reg-event', 'presence'];

export interface OutsideReachOptions {
  /** The core may be tried when nobody can say: it knows best, and answers 480 or 404 when the terminal is not there (SIR-40). */
  readonly mayTry: boolean;
}

export function outsideReach(
  terminal: Pick<Terminal, 'identities' | 'user'>,
  findings: readonly SourceFinding[],
  { mayTry }: OutsideReachOptions,
): OutsideReach {
  for (const source of ORDER) {
    for (const finding of findings) {
      if (finding.report.source !== source) continue;
      const reachable = reportsOf(terminal, finding).flatMap((report) => reachOf(report, terminal));
      if (reachable[0] !== undefined) return reachable[0];
    }
  }
  const registrations = findings.find(({ report }) => report.source === 'reg-event');
  if (registrations?.isFresh === true) return { kind: 'absent' };
  const uri = mayTry ? instanceUri(terminal) : undefined;
  return uri === undefined ? { kind: 'unknown' } : { kind: 'reachable', uri, features: {} };
}

/** `sip:user@host;gr=<instance>`: what a registrar that knows GRUUs takes for the instance (RFC 5627 §3.1). */
function instanceUri({ user, identities }: Pick<Terminal, 'identities' | 'user'>): string | undefined {
  const urn = identities.find(({ value }) => /^urn:/i.test(value))?.value;
  return urn === undefined || !/^sips?:/.test(user) ? undefined : `${user};gr=${urn}`;
}

function reachOf(
  { isAvailable, gruu, contact, bearer, identities, features = {} }: DeviceReport,
  { user }: Pick<Terminal, 'user'>,
): readonly (OutsideReach & { readonly kind: 'reachable' })[] {
  if (isAvailable !== true) return [];
  const uri = gruu ?? instanceUri({ user, identities }) ?? (bearer === 'sip' ? contact : undefined);
  return uri === undefined ? [] : [{ kind: 'reachable', uri, features }];
}
