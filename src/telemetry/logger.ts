/**
 * The log that is written: JSON lines (pino) on standard output, one id through every line of one push or message. Secrets
 * are taken out by field name, hardware numbers starred, and bodies never logged by those who could.
 * Lines are written before the call returns, so that the last line before a crash is there.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Log } from './log.js';
import { maskLine } from './masking.js';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Least severe level written. */
  readonly level: string;
  /** Default: standard output. */
  readonly output?: DestinationStream;
}

export function createLogger({ level, output }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: maskLine },
    },
    output ?? destination({ dest: 1, sync: true }),
  );
}

/**
 * The logger as a plain function, bound to an id when one is given: `logOf(logger, { pushId })`.
 * Further fields of an event are written as they are.
 */
export function logOf(logger: Logger, bound: Readonly<Record<string, unknown>> = {}): Log {
  const child = Object.keys(bound).length === 0 ? logger : logger.child({ ...bound });
  return ({ level, message, ...fields }) => child[level](fields as object, message);
}
