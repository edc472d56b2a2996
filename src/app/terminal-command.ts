/** Runs `carillon terminal` until it is asked to stop: events to standard output as JSON lines, trouble to standard error. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { loadTerminalPolicy } from '../config/terminal-policy.js';
import { reasonRow } from '../terminal/judgement-reasons.js';
import { ReferenceTerminal } from '../terminal/reference-terminal.js';
import type { ReceivedSir } from '../terminal/sir.js';
import type { TerminalEvent } from '../terminal/terminal-events.js';
import type { TerminalOptions } from '../terminal/terminal-options.js';
import { runApplication } from './application-program.js';
import { EXIT } from './cli.js';
import { ContentDirectory } from './content-directory.js';
import { randomBytes, systemClock } from './system-clock.js';
import { terminalPolicy } from './terminal-policy.js';
import { UserQuestion } from './user-question.js';
import { PRODUCT } from './version.js';

export interface TerminalCommandOptions {
  /** `policy` holds what options say; it goes before the policy file. */
  readonly terminal: TerminalOptions;
  /** By what SIRs are judged. */
  readonly policyFile?: string;
  /** Directory that gets the content, one file each. */
  readonly saveTo?: string;
  /** Do not unregister at the end. */
  readonly keepRegistration: boolean;
}

export async function runTerminal(options: TerminalCommandOptions): Promise<number> {
  const { saveTo, keepRegistration } = options;
  const terminalOptions = withPolicyFile(options);
  const directory = saveTo === undefined ? undefined : await ContentDirectory.open(saveTo);
  const stop = stopRequested();
  const starting = ReferenceTerminal.start(
    {
      ...terminalOptions,
      ...(directory === undefined ? {} : { take: (content) => directory.save(content) }),
    },
    {
      clock: systemClock,
      randomBytes,
      product: PRODUCT,
      log({ level, message, reason }) {
        if (level === 'warn' || level === 'error') {
          process.stderr.write(`carillon: ${message}${reason === undefined ? '' : `: ${reason}`}\n`);
        }
      },
    },
    (event) => process.stdout.write(`${JSON.stringify(eventLine(event, directory))}\n`),
  );
  // A registrar that does not answer must not keep whoever wants to stop.
  const terminal = await Promise.race([starting, stop.then(() => undefined)]);
  if (terminal === undefined) {
    starting.then((late) => late.abandon()).catch(() => undefined);
    return EXIT.ok;
  }
  await stop;
  if (keepRegistration) await terminal.abandon();
  else await terminal.close();
  return EXIT.ok;
}

/** What stands in the policy file, and before it what options say. */
function withPolicyFile({ terminal, policyFile }: TerminalCommandOptions): TerminalOptions {
  if (policyFile === undefined) return terminal;
  const file = loadTerminalPolicy(policyFile);
  const user = file.user?.answer === 'ask' ? new UserQuestion(process.stdin) : undefined;
  const policy = terminalPolicy(file, {
    run: runApplication,
    pause: (delayMs) => pause(delayMs, undefined, { ref: false }),
    ask: (sir, signal) => user?.ask(sir, signal) ?? new Promise(() => undefined),
  });
  return {
    ...terminal,
    identities: [...(terminal.identities ?? []), ...file.identities],
    policy: { ...policy, ...terminal.policy },
  };
}

/** SIGINT or SIGTERM, or nobody reads our events any more. */
function stopRequested(): Promise<unknown> {
  return Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process.stdout, 'error')]);
}

/** An event as one JSON object: `event` says what happened, `at` when. Content itself stays out; `--save` keeps it. */
function eventLine(event: TerminalEvent, directory?: ContentDirectory): Record<string, unknown> {
  const { kind, at, ...fields } = event;
  const line = { event: kind, at: new Date(at).toISOString() };
  switch (event.kind) {
    case 'sir': {
      const { reason, verdict } = event.judgement;
      const { factor, text } = reasonRow(reason);
      return { ...line, ...sirFields(event.sir), verdict, reason, factor, text };
    }
    case 'asking':
      return { ...line, ...sirFields(event.sir) };
    case 'content': {
      const { bytes, ...content } = event.content;
      return {
        ...line,
        ...content,
        isDuplicate: event.isDuplicate,
        ...(directory === undefined ? {} : { file: directory.pathOf(content.id) }),
      };
    }
    default:
      return { ...line, ...fields };
  }
}

function sirFields(sir: ReceivedSir): Record<string, unknown> {
  const {
    id,
    user,
    devices,
    application,
    applicationIds,
    sender,
    gateway,
    otaHttp,
    wsp,
    carrier,
    expiresAt,
  } = sir;
  return {
    ...{ id, user, devices: devices.map(({ value }) => value) },
    ...{ application: application?.id ?? applicationIds[0], content: sir.content },
    ...{ sender, gateway, otaHttp, wsp, carrier, return: sir.return, send: sir.send },
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
  };
}
