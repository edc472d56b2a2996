/** Reading of option values on the command line. Each parser refuses with the form that it wants. */
import { InvalidArgumentError } from 'commander';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../kernel/units.js';

/** Parsed options as the command line gives them. */
export type CliOptions = Readonly<Record<string, unknown>>;

export function text(options: CliOptions, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function texts(options: CliOptions, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

export function number(options: CliOptions, name: string): number | undefined {
  const value = options[name];
  return typeof value === 'number' ? value : undefined;
}

export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const parsed = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
    if (!(parsed >= min && parsed <= max)) {
      throw new InvalidArgumentError(`A whole number from ${min} to ${max} is needed.`);
    }
    return parsed;
  };
}

export function httpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError('A URL such as http://127.0.0.1:8080/pap is needed.');
  }
  return value;
}

/** `host:port`; IPv6 in brackets. `usual` is the port of a host alone. */
export function hostPort(usual: number): (value: string) => { readonly host: string; readonly port: number } {
  return (value) => {
    const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(value);
    const port = Number(match?.[2] ?? usual);
    if (match?.[1] === undefined || port < 1 || port > 65_535) {
      throw new InvalidArgumentError(`host or host:port is needed, such as 127.0.0.1:${usual}.`);
    }
    return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port };
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** An instant in milliseconds since the epoch: ISO 8601, or from now on as `+90s`, `+10m`, `+2h`, `+3d`. */
export function instant(value: string): number {
  const [, amount, unit = ''] = /^\+(\d{1,9})([smhd])$/.exec(value) ?? [];
  const parsed =
    amount === undefined ? Date.parse(value) : Date.now() + Number(amount) * (UNIT_MS[unit] ?? SECOND_MS);
  if (Number.isNaN(parsed)) {
    throw new InvalidArgumentError(
      'An instant is needed: 2026-12-24T18:00:00Z, or from now on as +10m, +2h, +3d.',
    );
  }
  return parsed;
}

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** `Name: value`, collected when the option is repeated. */
export function headerField(value: string, previous: readonly NamedValue[] = []): readonly NamedValue[] {
  const [, name, rest] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n]*)$/.exec(value) ?? [];
  if (name === undefined || rest === undefined || /^content-(?:type|length)$/i.test(name)) {
    throw new InvalidArgumentError(
      "A header field 'Name: value' is needed; the content type has an option of its own.",
    );
  }
  return [...previous, { name, value: rest }];
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
