/**
 * The edge between the gateway and the operating system: what asks the process to stop, and the guarantee that it does.
 * The first SIGTERM or SIGINT asks; a second one, a deadline, or nothing left to wait for ends the process. An error that
 * nobody caught is logged and stops the process in order, with the exit status for a defect.
 */
import type { EventEmitter } from 'node:events';
import { describeError } from '../kernel/errors.js';
import type { Log } from '../telemetry/log.js';
import { EXIT } from './cli.js';

export interface ProcessEdge extends Disposable {
  /** Resolves once, when the process is asked to stop, with why: the name of a signal, or "uncaught error". */
  readonly stop: Promise<string>;
  /** What to end with: 0 unless an error was not caught, also one during the end itself. */
  readonly exitStatus: number;
}

/**
 * One Ctrl-C often arrives twice: from the terminal, which signals the whole group, and from npm, which passes it on to
 * its child. Signals that follow the first this closely are that one again.
 */
const SAME_SIGNAL_MS = 500;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Starts listening. `deadlineMs` counts from the first request; when it has passed the process ends whatever is left. Dispose
 * when everything is closed.
 */
export function watchProcess(options: {
  readonly log: Log;
  readonly deadlineMs: number;
  /** For tests; default `process.exit`. */
  readonly exit?: (status: number) => void;
  /** Where signals and uncaught errors arrive, for tests; default `process`. */
  readonly source?: EventEmitter;
}): ProcessEdge {
  const { log, deadlineMs, exit = process.exit, source = process } = options;
  let exitStatus: number = EXIT.ok;
  let askedAt: number | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let resolveStop: (reason: string) => void = () => {};
  const stop = new Promise<string>((resolve) => {
    resolveStop = resolve;
  });

  const end = (message: string) => {
    log({ level: 'error', message });
    exit(exitStatus || EXIT.failed);
  };
  const ask = (reason: string) => {
    if (askedAt !== undefined) return;
    askedAt = Date.now();
    deadline = setTimeout(() => end('did not finish in time; ending now'), deadlineMs).unref();
    resolveStop(reason);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (askedAt !== undefined && Date.now() - askedAt > SAME_SIGNAL_MS) end(`${signal} again; ending now`);
    ask(signal);
  };
  const onError = (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log({ level: 'fatal', message: 'uncaught error', reason: describeError(error), stack });
    exitStatus = EXIT.defect;
    ask('uncaught error');
  };

  for (const signal of SIGNALS) source.on(signal, onSignal);
  source.on('uncaughtException', onError); // unhandled rejections arrive here as well
  return {
    stop,
    get exitStatus() {
      return exitStatus;
    },
    [Symbol.dispose]() {
      clearTimeout(deadline);
      for (const signal of SIGNALS) source.off(signal, onSignal);
      source.off('uncaughtException', onError);
    },
  };
}
