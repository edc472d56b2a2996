/**
 * The answer of a terminal to a push (WAP-235): HTTP 204 with `X-Wap-Push-Status`. A terminal whose HTTP is not quite that of the
 * standard answers with a status of HTTP alone, which is read for what it is worth. Pure; what follows from it is for the bearer.
 */
import type { HeaderField } from '../mime/index.js';
import { headerValue } from '../mime/index.js';
import {
  formatPushStatus,
  PUSH_STATUS,
  type PushStatusMeaning,
  parsePushStatus,
} from './push-status-table.js';

/** Of a reason, characters. */
const MAX_REASON_LENGTH = 200;

export interface PushResponse {
  /** `taken`: HTTP says yes, and nothing says more. `tooLarge`: HTTP says no, and why. */
  readonly meaning: PushStatusMeaning | 'taken' | 'tooLarge';
  /** For people. */
  readonly detail: string;
  /** What an initiator is told of an abort. */
  readonly papCode?: number;
  /** The tag that the terminal has now. */
  readonly cpiTag?: string;
}

/** What the answer means. Never throws: whatever is not understood is `failed`. */
export function readPushResponse({
  status,
  headers,
}: {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}): PushResponse {
  const pushStatus = parsePushStatus(headerValue(headers, 'x-wap-push-status') ?? '');
  const cpiTag = headerValue(headers, 'x-wap-cpitag');
  const tag = cpiTag === undefined ? {} : { cpiTag };
  if (pushStatus === undefined || status < 200 || status > 299) return { ...byHttp(status), ...tag };
  const entry = PUSH_STATUS.get(pushStatus);
  const detail = `the terminal answered push status ${formatPushStatus(pushStatus)}${reasonIn(headers)}`;
  if (entry === undefined) return { meaning: 'failed', detail, ...tag };
  const { meaning, papCode } = entry;
  return { meaning, detail, ...(papCode === undefined ? {} : { papCode }), ...tag };
}

/** In the terminal's words (`X-Push-Reason`, which is ours). */
function reasonIn(headers: readonly HeaderField[]): string {
  const reason = headerValue(headers, 'x-push-reason')?.trim() ?? '';
  return reason === '' ? '' : `: ${reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_REASON_LENGTH)}`;
}

function byHttp(status: number): PushResponse {
  const detail = `the terminal answered HTTP ${status}`;
  if (status >= 200 && status < 300) return { meaning: 'taken', detail: `${detail} without a push status` };
  if (status === 413) return { meaning: 'tooLarge', detail };
  if (status === 406 || status === 415) return { meaning: 'unknownMediaType', detail };
  if (status === 429 || status === 503) return { meaning: 'notNow', detail };
  return { meaning: 'failed', detail };
}

/** The answer as a terminal gives it: status 204 and these header fields. */
export function pushResponseHeaders(status: number, cpiTag?: string): readonly HeaderField[] {
  return [
    { name: 'X-Wap-Push-Status', value: formatPushStatus(status) },
    ...(cpiTag === undefined ? [] : [{ name: 'X-Wap-CPITag', value: cpiTag }]),
  ];
}
