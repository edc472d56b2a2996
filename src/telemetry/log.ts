/**
 * The log as most of the code sees it: one plain function that takes an event. Layers below `app/` accept such a function
 * (or nothing) and know no logger; logger.ts makes one that writes JSON lines.
 */

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** What every event has; further fields are written as they are. Never put bodies or secrets into one. */
export interface LogEvent {
  readonly level: LogLevel;
  readonly message: string;
}

export type Log = <Event extends LogEvent>(event: Event) => void;

/** Takes events and forgets them. */
export const noLog: Log = () => {};
