/** A push in JSON for the service worker of a page: a push service passes on the body alone, so that everything stands in it. */
import type { CarriedItem } from '../../push/ports.js';

export interface PushEvent {
  /** The same for every attempt: by it a page knows a repetition. */
  readonly id: string;
  readonly type: 'push';
  readonly contentType: string;
  /** Push headers; those that come several times with a comma between their values. */
  readonly headers: Readonly<Record<string, string>>;
  /** Content that is UTF-8. */
  readonly content?: string;
  /** Any other content. */
  readonly base64?: string;
}

export function pushEvent({ id, contentType, headers, content }: CarriedItem): PushEvent {
  const fields = new Map<string, string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    const before = fields.get(lower);
    fields.set(lower, before === undefined ? value : `${before}, ${value}`);
  }
  const text = textOf(content);
  return {
    id,
    type: 'push',
    contentType,
    headers: Object.fromEntries(fields),
    ...(text === undefined ? { base64: Buffer.from(content).toString('base64') } : { content: text }),
  };
}

function textOf(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
