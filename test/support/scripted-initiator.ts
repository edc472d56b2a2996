/** The notification URL of an initiator that acknowledges everything and keeps what it was told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedInitiator extends AsyncDisposable {
  readonly url: string;
  /** Resolves with everything told so far once that are `count` documents. */
  told(count: number): Promise<readonly string[]>;
}

export async function startScriptedInitiator(): Promise<ScriptedInitiator> {
  const documents: string[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((asked, answer) => {
    let text = '';
    asked.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    asked.on('end', () => {
      documents.push(text);
      answer.writeHead(200).end();
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/result`,
    told: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (documents.length < count) return;
          waiting.delete(look);
          resolve(documents);
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
