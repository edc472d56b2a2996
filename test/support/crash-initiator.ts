/**
 * A push initiator of a crash test: submits one push after the other, repeats under the same push-id what was not answered or
 * was answered "try later", and keeps books. And the server that takes the result notifications of all of them, badly.
 */
import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { pushUid } from '../../src/push/push-message.js';
import type { CrashBooks, Priority, Submission, TerminalName } from './crash-books.js';
import type { Chance } from './crash-chance.js';
import { multipartBody, papText } from './pap.js';

const ANSWER_LIMIT_MS = 5000;
export const BOUNDARY = 'boundary-of-the-crash-tests';

export interface InitiatorOptions {
  readonly id: string;
  readonly password: string;
  /** Public HTTP ports of the gateways; a repetition may go to another one. */
  readonly ports: readonly [number, ...number[]];
  readonly domain: string;
  /** Terminals by user: no user without one. */
  readonly users: readonly [User, ...User[]];
  readonly notifyUrl: string;
  readonly chance: Chance;
  /** Longest pause between two pushes in milliseconds. */
  readonly paceMs: number;
}

export interface User {
  readonly user: string;
  readonly terminals: readonly [
    { readonly name: TerminalName; readonly instance: string },
    ...{ readonly name: TerminalName; readonly instance: string }[],
  ];
}

export class CrashInitiator {
  readonly #options: InitiatorOptions;
  readonly #books: CrashBooks;
  #count = 0;
  #isAsked = false;

  constructor(options: InitiatorOptions, books: CrashBooks) {
    this.#options = options;
    this.#books = books;
  }

  /** Submits until `stop`; resolves when the last push has been answered or given up. */
  async run(): Promise<void> {
    const { chance, paceMs } = this.#options;
    while (!this.#isAsked) {
      await this.#submit();
      await pause(chance.between(0, paceMs));
    }
  }

  stop(): void {
    this.#isAsked = true;
  }

  /** Submits one push and stays with it until it is answered; gives up after some unanswered attempts, as real ones do. */
  async #submit(): Promise<void> {
    const { chance, ports } = this.#options;
    const { submission, body } = this.#next();
    this.#books.submitted(submission);
    const patience = chance.happens(0.1) ? chance.between(1, 2) : 200;
    let port = chance.pick(ports);
    for (let attempt = 1; attempt <= patience; attempt += 1) {
      submission.attempts = attempt;
      const code = await postPush({ port, id: this.#options.id, password: this.#options.password }, body);
      if (code === 1001 || (code === 2007 && attempt > 1)) {
        submission.fate = 'accepted';
        submission.answeredAt = Date.now();
        return;
      }
      const isTooLate =
        submission.deliverBefore !== undefined && Date.now() >= submission.deliverBefore - 1000;
      if (code === 2001 && isTooLate) break; // refused, unless an attempt before was taken in
      if (code !== undefined && (code < 4000 || code > 4999)) {
        this.#books.violations.push(`${submission.pushId} was answered ${code} at attempt ${attempt}`);
      }
      await pause(chance.between(20, 400));
      port = chance.pick(ports);
    }
    submission.fate = 'unknown';
  }

  #next(): { submission: Submission; body: Buffer } {
    const { id, chance, notifyUrl, domain } = this.#options;
    this.#count += 1;
    const pushId = `${this.#count}@${id}`;
    const content = chance.octets(sizeOfNext(chance));
    const priority = chance.pick<Priority>(['high', 'medium', 'medium', 'medium', 'low']);
    const now = Date.now();
    const deliverBefore = chance.happens(0.12) ? wholeSeconds(now + chance.between(2000, 8000)) : undefined;
    const deliverAfter =
      deliverBefore === undefined && chance.happens(0.06)
        ? wholeSeconds(now + chance.between(1000, 4000))
        : undefined;
    const wantsResult = chance.happens(0.5);
    const recipients = this.#recipients();
    const times = [
      attribute('deliver-before-timestamp', deliverBefore && timestamp(deliverBefore)),
      attribute('deliver-after-timestamp', deliverAfter && timestamp(deliverAfter)),
      attribute('ppg-notify-requested-to', wantsResult ? `${notifyUrl}/${id}` : undefined),
    ].join('');
    const addresses = recipients.map(({ address }) => `<address address-value="${address}"/>`).join('');
    const control = papText(
      `<push-message push-id="${pushId}"${times}>${addresses}<quality-of-service priority="${priority}"/></push-message>`,
    );
    const submission: Submission = {
      uid: pushUid(id, pushId),
      initiator: id,
      pushId,
      recipients,
      priority,
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      ...(deliverBefore === undefined ? {} : { deliverBefore }),
      ...(deliverAfter === undefined ? {} : { deliverAfter }),
      wantsResult,
      sentAt: now,
      fate: 'under way',
      attempts: 0,
    };
    const parts = [
      { headers: 'Content-Type: application/xml', content: control },
      {
        headers: `Content-Type: application/octet-stream\r\nX-Wap-Initiator-URI: http://${domain}/`,
        content,
      },
    ];
    return { submission, body: multipartBody(parts, BOUNDARY) };
  }

  /** Mostly one terminal; sometimes a user with all terminals, sometimes two addresses. */
  #recipients(): Submission['recipients'] {
    const { chance, users, domain } = this.#options;
    const some = chance.pick(users);
    if (chance.happens(0.15)) {
      const address = `WAPPUSH=${encodeURIComponent(some.user)}/TYPE=USER@ppg.${domain}`;
      return [{ address, terminals: some.terminals.map(({ name }) => name) }];
    }
    const toOne = (user: User) => {
      const { name, instance } = chance.pick(user.terminals);
      const device = encodeURIComponent(instance);
      return {
        address: `WAPPUSH=${encodeURIComponent(user.user)}/device=${device}/TYPE=USER@ppg.${domain}`,
        terminals: [name],
      };
    };
    const other = chance.pick(users);
    return chance.happens(0.15) && other !== some ? [toOne(some), toOne(other)] : [toOne(some)];
  }
}

/**
 * Submits a body made with `BOUNDARY`. The code of the answer: PAP's own, or 9000 plus the status of an answer that is not PAP;
 * undefined when none came in time.
 */
export function postPush(
  { port, id, password }: { readonly port: number; readonly id: string; readonly password: string },
  body: Buffer,
  limitMs = ANSWER_LIMIT_MS,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/pap',
        method: 'POST',
        auth: `${id}:${password}`,
        agent: false,
        timeout: limitMs,
        headers: {
          'content-type': `multipart/related; type="application/xml"; boundary=${BOUNDARY}`,
          'content-length': body.length,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('error', () => resolve(undefined));
        answer.on('end', () => resolve(codeOf(answer.statusCode ?? 0, text)));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}

/** Nothing, a sentence, a page, just about what still lies in Redis, and what goes to the blob directory. */
function sizeOfNext(chance: Chance): number {
  const [from, to] = chance.pick<readonly [number, number]>([
    [0, 0],
    [1, 800],
    [1, 800],
    [1, 800],
    [1, 800],
    [1, 3000],
    [1000, 30_000],
    [65_536 - 2, 65_536 + 2],
    [66_000, 200 * 1024],
  ]);
  return chance.between(from, to);
}

function codeOf(status: number, body: string): number | undefined {
  const [, code] = /<response-result\b[^>]*\bcode="(\d{4})"/.exec(body) ?? [];
  if (code !== undefined) return Number(code);
  return status >= 500 ? undefined : 9000 + status;
}

const wholeSeconds = (at: number) => Math.floor(at / 1000) * 1000;
const timestamp = (at: number) => new Date(at).toISOString().replace('.000', '');
const attribute = (name: string, value: string | undefined | 0) => (value ? ` ${name}="${value}"` : '');

export interface NotificationServer extends AsyncDisposable {
  readonly url: string;
}

/** Takes result notifications, and fails at random: a refusal, a negative PAP answer, a broken connection, no answer in time. */
export async function startNotificationServer(
  books: CrashBooks,
  chance: Chance,
): Promise<NotificationServer> {
  const server = createServer((asked, answer) => {
    let text = '';
    asked.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    asked.on('end', () => {
      const mood = chance.pick([
        'fine',
        'fine',
        'fine',
        'fine',
        'fine',
        'refuse',
        'negative',
        'break',
        'sleep',
      ]);
      note(books, asked.url ?? '', text, mood === 'fine');
      if (mood === 'fine') answer.writeHead(200).end();
      else if (mood === 'refuse') answer.writeHead(503).end();
      else if (mood === 'negative') answer.writeHead(202).end(negativeAnswer(text));
      else if (mood === 'break') asked.socket.destroy();
      // asleep: the gateway gives up
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function note(books: CrashBooks, path: string, document: string, isAcknowledged: boolean): void {
  const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(document)?.[1] ?? '';
  books.notified({
    initiator: path.slice(1),
    pushId: value('push-id'),
    address: value('address-value'),
    state: value('message-state'),
    code: Number(value('code')),
    isAcknowledged,
  });
}

function negativeAnswer(document: string): string {
  const [, pushId = ''] = /push-id="([^"]*)"/.exec(document) ?? [];
  const [, address = ''] = /address-value="([^"]*)"/.exec(document) ?? [];
  return papText(
    `<resultnotification-response push-id="${pushId}" code="3001"><address address-value="${address}"/></resultnotification-response>`,
  );
}
