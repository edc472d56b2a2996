/**
 * Content as a terminal receives it, whole and exact to the octet, whichever way it came. Its id is the sender's:
 * Message-ID in a session, Call-ID of a MESSAGE, X-Push-Id by HTTP and WSP, `id` by Web Push; a gateway keeps it equal for every repetition of one push, on both ways.
 */
import { createHash } from 'node:crypto';

export interface ContentHeader {
  readonly name: string;
  readonly value: string;
}

export interface ReceivedContent {
  readonly id: string;
  readonly via: 'msrp' | 'message' | 'http' | 'wsp' | 'sms' | 'web-push';
  readonly contentType: string;
  /** Push headers that came along, Content-Type not among them. */
  readonly headers: readonly ContentHeader[];
  readonly bytes: Uint8Array;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export function receivedContent(
  content: Pick<ReceivedContent, 'id' | 'via' | 'contentType' | 'headers' | 'bytes'>,
): ReceivedContent {
  const sha256 = createHash('sha256').update(content.bytes).digest('hex');
  return { ...content, size: content.bytes.length, sha256 };
}
