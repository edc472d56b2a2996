/**
 * Preferences as the gateway understands them, out of free-form records (SIR-27, SIR-63, SIR-176): what was provisioned with a terminal,
 * and what the terminal returned after a session initiation request. For each key the provisioned record counts first, so that an
 * operator can correct a terminal. Other keys are kept and mean nothing here. Pure.
 */
import { BEARER_NAMES, type BearerName } from './bearer-name.js';
import { matchesApplication } from './initiator-pattern.js';
import type { Terminal } from './user.js';

export interface StatedPreferences {
  /** Application ids, in full or by their last part: wanted or not. Those not named are wanted. */
  readonly applications?: Readonly<Record<string, boolean>>;
  /** Media types, or ranges like `video/*`, that the terminal does not want. */
  readonly refusedTypes?: readonly string[];
  /** By which bearers it likes to be reached, the dearest first. */
  readonly bearers?: readonly BearerName[];
  /** When it does not want to be woken, except by pushes of high priority. */
  readonly quietHours?: QuietHours;
}

/** `from` and `to` as `hh:mm`, in the time zone (IANA); the span may reach over midnight. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
  readonly timeZone?: string;
}

export function statedPreferences(terminal: Pick<Terminal, 'preferences' | 'returned'>): StatedPreferences {
  const records = [terminal.preferences, recordOf(terminal.returned?.preference?.information)];
  const first = <T>(read: (record: Readonly<Record<string, unknown>>) => T | undefined): T | undefined =>
    records.map(read).find((value) => value !== undefined);
  const applications = first(({ applications: value }) => (isSwitches(value) ? value : undefined));
  const refusedTypes = first(({ refusedTypes: value }) => textsOf(value));
  const bearers = first(({ bearers: value }) => textsOf(value)?.filter(isBearerName));
  const quietHours = first(({ quietHours: value }) => (isQuietHours(value) ? value : undefined));
  return {
    ...(applications === undefined ? {} : { applications }),
    ...(refusedTypes === undefined ? {} : { refusedTypes }),
    ...(bearers === undefined ? {} : { bearers }),
    ...(quietHours === undefined ? {} : { quietHours }),
  };
}

/** Has the terminal switched the application off? */
export function isSwitchedOff({ applications = {} }: StatedPreferences, applicationId: string): boolean {
  return Object.entries(applications).some(
    ([id, isWanted]) => !isWanted && matchesApplication(id.toLowerCase(), applicationId),
  );
}

export function refusesType({ refusedTypes = [] }: StatedPreferences, contentType: string): boolean {
  const [mediaType = ''] = contentType.split(';', 1);
  const type = mediaType.trim().toLowerCase();
  return refusedTypes.some((range) => {
    const refused = range.toLowerCase();
    return refused.endsWith('/*') ? type.startsWith(refused.slice(0, -1)) : type === refused;
  });
}

/** When the quiet hours that hold at this moment end (ms epoch); undefined when none do. */
export function quietUntil({ quietHours }: StatedPreferences, now: number): number | undefined {
  if (quietHours === undefined) return undefined;
  const [from, to] = [minutesOf(quietHours.from), minutesOf(quietHours.to)];
  const at = minutesAt(now, quietHours.timeZone ?? 'UTC');
  const isQuiet = from <= to ? at >= from && at < to : at >= from || at < to;
  if (!isQuiet) return undefined;
  const left = (to - at + MINUTES_A_DAY) % MINUTES_A_DAY;
  return now - (now % MINUTE) + left * MINUTE;
}

const MINUTE = 60_000;
const MINUTES_A_DAY = 1440;

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

function minutesAt(now: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return minutesOf(format.format(now));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isSwitches(value: unknown): value is Readonly<Record<string, boolean>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'boolean')
  );
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function isBearerName(name: string): name is BearerName {
  return (BEARER_NAMES as readonly string[]).includes(name);
}

function isQuietHours(value: unknown): value is QuietHours {
  const { from, to, timeZone } = recordOf(value);
  const isTime = (text: unknown) => typeof text === 'string' && /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text);
  return isTime(from) && isTime(to) && from !== to && (timeZone === undefined || isTimeZone(timeZone));
}

function isTimeZone(name: unknown): boolean {
  try {
    return typeof name === 'string' && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
