/**
 * The log that is written: JSON lines (pino) on standard output, one id through every line of one push or message. Secrets
 * are taken out by field name, hardware numbers starred, and bodies never logged by those who could.
 * The lines of one turn of the event loop are written together at its end, or at the end of the process: under load most of the cost of
 * a line is its write.
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
    output ?? perTurn(destination({ dest: 1, sync: true })),
  );
}

/** Passes lines on once a turn of the event loop. */
export function perTurn(output: DestinationStream): DestinationStream {
  let lines = '';
  const flush = () => {
    const written = lines;
    lines = ''; // first, so that an output which fails does not end the log
    if (written !== '') output.write(written);
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
}

/**
 * The logger as a plain function, bound to an id when one is given: `logOf(logger, { pushId })`.
 * Further fields of an event are written as they are.
 */
export function logOf(logger: Logger, bound: Readonly<Record<string, unknown>> = {}): Log {
  const child = Object.keys(bound).length === 0 ? logger : logger.child({ ...bound });
  return ({ level, message, ...fields }) => child[level](fields as object, message);
}
