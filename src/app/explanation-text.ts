/** An explanation in words, for people. Pure. */

/** What is read of the answer of the admin API; `openapi.yaml` describes it. */
export interface ExplanationAnswer {
  readonly user: string;
  readonly multi: boolean;
  readonly policy: string;
  readonly completion?: 'any';
  readonly settings: readonly { readonly setting: string; readonly value: unknown; readonly from: string }[];
  readonly sources: readonly { readonly source: string; readonly state: string; readonly detail: string }[];
  readonly refusal?: string;
  readonly terminals: readonly TerminalAnswer[];
}

interface TerminalAnswer {
  readonly terminal: string;
  readonly selected: boolean;
  readonly reasons: readonly string[];
  readonly startsAt?: string;
  readonly connection: 'session' | 'message' | 'none';
  readonly hold?: string;
  readonly quietUntil?: string;
  readonly wakeNotBefore?: string;
  readonly ways: readonly WayAnswer[];
  readonly leftOut: readonly {
    readonly bearer: string;
    readonly address?: string;
    readonly reason: string;
  }[];
}

interface WayAnswer {
  readonly bearer: string;
  readonly address?: string;
  readonly carries: 'sir' | 'content';
  readonly reasons: readonly string[];
  readonly sir?: {
    readonly mode: string;
    readonly device?: string;
    readonly identityIn: readonly string[];
    readonly reasons: readonly string[];
  };
}

/** What is read of a push. */
export interface PushAnswer {
  readonly pushId: string;
  readonly recipients: readonly {
    readonly address: string;
    readonly state: string;
    readonly reason?: string;
    readonly decision?: {
      readonly user: string;
      readonly policy: string;
      readonly terminals: readonly Chosen[];
    };
    readonly deliveries?: readonly Delivered[];
  }[];
}

interface Chosen {
  readonly terminal: string;
  readonly selected: boolean;
  readonly reasons: readonly string[];
}

interface Delivered {
  readonly terminal?: string;
  readonly state: string;
  readonly bearer?: string;
  readonly reason?: string;
  readonly wakes: readonly {
    readonly at: string;
    readonly bearer: string;
    readonly outcome: string;
    readonly detail: string;
    readonly mode?: string;
    readonly reasons?: readonly string[];
  }[];
}

const PLACES: Readonly<Record<string, string>> = {
  header: 'in the To header',
  value: 'as a value of its own',
  body: 'in the body',
};

export function explanationText(now: ExplanationAnswer, push?: PushAnswer): readonly string[] {
  return [...(push ? [...pushText(push), ''] : []), ...nowText(now)];
}

function pushText({ pushId, recipients }: PushAnswer): readonly string[] {
  return [
    `Push ${pushId}, as it was decided and as it went:`,
    ...recipients.flatMap(({ address, state, reason, decision, deliveries = [] }) => [
      `  ${address}: ${state}${reason === undefined ? '' : ` (${reason})`}`,
      ...(decision?.terminals ?? []).map((one) => `    ${verdict(one)}`),
      ...deliveries.flatMap(deliveryText),
    ]),
  ];
}

function deliveryText({ terminal, state, bearer, reason, wakes }: Delivered): readonly string[] {
  const by = bearer === undefined ? '' : ` by ${bearer}`;
  return [
    `    ${terminal ?? 'a terminal'}: ${state}${by}${reason === undefined ? '' : ` (${reason})`}`,
    ...wakes.flatMap((wake) => [
      `      ${wake.at} woken by ${wake.bearer}: ${wake.outcome} (${wake.detail})`,
      ...(wake.reasons ?? []).map((why) => `        ${why}`),
    ]),
  ];
}

function nowText(now: ExplanationAnswer): readonly string[] {
  const count = now.multi ? 'several terminals' : 'one terminal';
  return [
    `${now.user} has ${count}. Now, a push like this goes by the policy ${now.policy}.`,
    ...(now.completion === undefined ? [] : ['The first terminal that has it is enough.']),
    ...(now.refusal === undefined ? [] : [`It would be refused: ${now.refusal}.`]),
    'Rules:',
    ...now.settings.map(({ setting, value, from }) => `  ${setting} = ${plain(value)}: ${from}`),
    ...(now.sources.length === 0 ? [] : ['Asked:']),
    ...now.sources.map(({ source, state, detail }) => `  ${source}: ${state} (${detail})`),
    ...(now.terminals.length === 0 ? [] : ['Terminals:']),
    ...now.terminals.flatMap(terminalText),
  ];
}

function terminalText(terminal: TerminalAnswer): readonly string[] {
  const { connection, hold, quietUntil, wakeNotBefore, startsAt, ways, leftOut } = terminal;
  if (!terminal.selected) return [`  ${verdict(terminal)}`];
  return [
    `  ${verdict(terminal)}`,
    ...(startsAt === undefined ? [] : [`    its turn comes at ${startsAt}`]),
    ...(hold === undefined ? [] : [`    on hold: ${hold}`]),
    ...(connection === 'session'
      ? ['    it has a push session: the push goes there, and nobody is woken']
      : []),
    ...(connection === 'message' ? ['    it takes small content by SIP MESSAGE now'] : []),
    ...(quietUntil === undefined ? [] : [`    it is not woken before ${quietUntil}, but for urgent pushes`]),
    ...(wakeNotBefore === undefined ? [] : [`    no SIR before ${wakeNotBefore}: its lane tells why`]),
    ...ways.flatMap((way, index) => wayText(way, index)),
    ...(ways.length === 0 ? ['    nothing wakes it'] : []),
    ...leftOut.map(({ bearer, address, reason }) => `    not by ${by(bearer, address)}: ${reason}`),
  ];
}

function wayText({ bearer, address, carries, reasons, sir }: WayAnswer, index: number): readonly string[] {
  const what = carries === 'content' ? 'the push itself' : 'a SIR';
  return [
    `    ${index + 1}. ${what} by ${by(bearer, address)}: ${reasons.join('; ')}`,
    ...(sir?.reasons ?? []).map((why) => `       ${why}`),
    ...(sir?.device === undefined
      ? []
      : [
          `       names ${sir.device} ${sir.identityIn.map((place) => PLACES[place] ?? place).join(' and ')}`,
        ]),
  ];
}

function verdict({ terminal, selected, reasons }: Chosen): string {
  return `${terminal}: ${selected ? 'yes' : 'no'}: ${reasons.join('; ')}`;
}

function by(bearer: string, address: string | undefined): string {
  return address === undefined ? bearer : `${bearer} ${address}`;
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
