/**
 * What happens to content before it is acknowledged, on either way: is it a repetition? if not, the application takes it,
 * and its id is remembered on disk; then it is reported. So a gateway that sends once more after a crash of either side
 * gets its acknowledgement, and the user sees nothing twice.
 */
import { type ReceivedContent, receivedContent } from './content.js';
import type { ReceivedIds } from './received-ids.js';
import type { TerminalEventFeed } from './terminal-events.js';
import type { TerminalOptions } from './terminal-options.js';

export interface ContentReceivingPorts {
  readonly ids: ReceivedIds;
  readonly events: Pick<TerminalEventFeed, 'emit'>;
  readonly take: TerminalOptions['take'];
}

export class ContentReceiving {
  readonly #ports: ContentReceivingPorts;
  /** Ids whose first arrival is being taken. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** Settles when everything that arrived so far has been reported or refused. */
  #reported: Promise<void> = Promise.resolve();

  constructor(ports: ContentReceivingPorts) {
    this.#ports = ports;
  }

  /** Resolves when the content may be acknowledged; rejects when the sender must keep it. */
  async receive(
    message: Pick<ReceivedContent, 'id' | 'via' | 'contentType' | 'headers' | 'bytes'>,
  ): Promise<void> {
    const content = receivedContent(message);
    const before = this.#reported;
    let isReported: () => void = () => {};
    this.#reported = new Promise((resolve) => {
      isReported = resolve;
    });
    try {
      const isDuplicate = await this.#isDuplicate(content);
      // Taking runs side by side, so that one sync serves many; reporting keeps the order of arrival.
      await before;
      this.#ports.events.emit({ kind: 'content', content, isDuplicate });
    } finally {
      isReported();
    }
  }

  /** Takes the content unless it was had before. */
  async #isDuplicate(content: ReceivedContent): Promise<boolean> {
    // The same push may arrive on an old and a new session at once; the second waits for the fate of the first.
    for (let first = this.#underWay.get(content.id); first; first = this.#underWay.get(content.id)) {
      await first.catch(() => undefined);
    }
    if (this.#ports.ids.has('content', content.id)) return true;
    const taken = this.#take(content);
    this.#underWay.set(content.id, taken);
    try {
      await taken;
      return false;
    } finally {
      this.#underWay.delete(content.id);
    }
  }

  async #take(content: ReceivedContent): Promise<void> {
    await this.#ports.take?.(content);
    await this.#ports.ids.remember('content', content.id);
  }
}
