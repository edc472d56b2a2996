/**
 * The bare baseline of accepting: node:http that appends each body to a file and answers when a grouped fdatasync has put it
 * on disk. What durable acceptance costs when nothing is parsed, checked or kept in order. Prints its port.
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:http';

const file = openSync(process.argv[2], 'a');
let waiting = [];
let isSyncing = false;

function sync() {
  if (isSyncing || waiting.length === 0) return;
  isSyncing = true;
  const group = waiting;
  waiting = [];
  write(file, Buffer.concat(group.map(({ body }) => body)), (writeError) => {
    fdatasync(file, (syncError) => {
      isSyncing = false;
      for (const { response } of group) {
        response.statusCode = writeError || syncError ? 500 : 202;
        response.end('1001');
      }
      sync();
    });
  });
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    waiting.push({ body: Buffer.concat(pieces), response });
    setImmediate(sync);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => process.exit(0));
