/**
 * What is known of a terminal's capabilities, from every source in one record (SIR-62, SIR-135). For each key the first source that
 * states it counts: what was provisioned, so that an operator can correct what a terminal claims; what the terminal reported; its
 * registration; its user agent profile. A key that nobody states is unknown, which is not the same as nothing.
 */
import type { UaProfile, UaProfValue } from '../protocols/uaprof/index.js';
import type { Binding } from './binding.js';
import {
  type CapabilityReport,
  LIST_KEYS,
  REPORT_SOURCES,
  type ReportSource,
  STATED_KEYS,
  type StatedCapabilities,
  statedByProfile,
  statedCapabilities,
} from './stated-capabilities.js';
import type { Terminal } from './user.js';

/** Where something of the record comes from, in the order in which sources count. */
export type CapabilitySource = 'provisioned' | ReportSource | 'registered' | 'uaProf';

export interface Capabilities extends Omit<StatedCapabilities, 'uaProf'> {
  /** Empty when nothing is known. */
  readonly uaProf: Readonly<Record<string, UaProfValue>>;
  readonly sources: readonly CapabilitySource[];
  /** Provisioned keys that the gateway does not know, as they are. */
  readonly other: Readonly<Record<string, unknown>>;
}

type Known = Pick<Terminal, 'id' | 'capabilities' | 'reported'>;

/** The record of a terminal. `bindings` are live registrations of its user, those of other terminals too, newest first. */
export function terminalCapabilities(terminal: Known, bindings: readonly Binding[]): Capabilities {
  const { reported = {} } = terminal;
  const stated: [CapabilitySource, StatedCapabilities][] = [
    ['provisioned', statedCapabilities(terminal.capabilities)],
    ...REPORT_SOURCES.map((source): [CapabilitySource, StatedCapabilities] => [
      source,
      statedCapabilities({ ...reported[source] }),
    ]),
    ['registered', statedByRegistration(bindings.filter((binding) => binding.terminal === terminal.id))],
  ];
  const uaProf = stated.map(([, { uaProf: own }]) => own).find((own) => own !== undefined) ?? {};
  stated.push(['uaProf', statedByProfile(uaProf)]);
  const merged: StatedCapabilities = Object.assign({}, ...stated.map(([, values]) => values).reverse());
  const known: readonly string[] = STATED_KEYS;
  return {
    ...merged,
    uaProf,
    sources: stated.filter(([, values]) => Object.keys(values).length > 0).map(([source]) => source),
    other: Object.fromEntries(Object.entries(terminal.capabilities).filter(([key]) => !known.includes(key))),
  };
}

/** The terminal with a new report in the place of its last one by the same way. */
export function withReport(terminal: Terminal, source: ReportSource, report: CapabilityReport): Terminal {
  return { ...terminal, reported: { ...terminal.reported, [source]: report } };
}

/** The record as a user agent profile: what the terminal's own profile says, corrected by what counts before it. */
export function profileOf(capabilities: Capabilities): UaProfile {
  const attributes = new Map<string, UaProfValue>(Object.entries(capabilities.uaProf));
  for (const key of LIST_KEYS) {
    const name = PROFILE_NAMES[key];
    const list = capabilities[key];
    if (name !== undefined && list !== undefined) attributes.set(name, list);
  }
  const { maxMessageSize, uaProfUrl } = capabilities;
  if (maxMessageSize !== undefined) attributes.set('Push-MsgSize', String(maxMessageSize));
  return { ...(uaProfUrl === undefined ? {} : { url: uaProfUrl }), attributes };
}

/** What each list is called in a profile; feature tags have no name there. */
const PROFILE_NAMES: Readonly<Record<(typeof LIST_KEYS)[number], string | undefined>> = {
  accept: 'Push-Accept',
  acceptCharset: 'Push-Accept-Charset',
  acceptLanguage: 'Push-Accept-Language',
  acceptEncoding: 'Push-Accept-Encoding',
  applicationIds: 'Push-Accept-AppID',
  pushFeatureTags: undefined,
};

/** Applications and languages have feature tags of their own (OMA SIP Push, RFC 3840 §10); every tag is kept. */
function statedByRegistration(bindings: readonly Binding[]): StatedCapabilities {
  const features = new Map(bindings.flatMap((binding) => Object.entries(binding.features)));
  if (features.size === 0) return {};
  const applicationIds = listOf(features.get('+g.oma.pusheventapp'));
  const acceptLanguage = listOf(features.get('language'));
  return {
    pushFeatureTags: [...features].map(([name, value]) => (value === '' ? name : `${name}="${value}"`)),
    ...(applicationIds.length === 0 ? {} : { applicationIds }),
    ...(acceptLanguage.length === 0 ? {} : { acceptLanguage }),
  };
}

/** The members of a feature value (RFC 3840 §9); those that are excluded (`!en`) say nothing of what is taken. */
function listOf(value = ''): readonly string[] {
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '' && !member.startsWith('!'));
}
