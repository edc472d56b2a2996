/**
 * The bare baseline of delivering: SEND out, 200 and REPORT back, between two sockets of one process, framed by searching for
 * the end-line and nothing else. What the wire itself costs when nothing is stored, ordered or checked.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const END = /-------([A-Za-z0-9]+)\$\r\n/g;

/** Messages per second with `window` of them under way. */
export async function bareMsrp({ bytes, window, durationMs }) {
  const body = 'x'.repeat(bytes);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.setEncoding('latin1');
    frames(socket, (id) => {
      socket.write(`MSRP ${id} 200 OK\r\nTo-Path: a\r\nFrom-Path: b\r\n-------${id}$\r\n`);
      socket.write(
        `MSRP r${id} REPORT\r\nTo-Path: a\r\nFrom-Path: b\r\nMessage-ID: ${id}\r\nByte-Range: 1-${bytes}/${bytes}\r\nStatus: 000 200 OK\r\n-------r${id}$\r\n`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ port: server.address().port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  await once(socket, 'connect');

  let sent = 0;
  let confirmed = 0;
  const send = () => {
    sent += 1;
    const id = `t${sent}`;
    socket.write(
      `MSRP ${id} SEND\r\nTo-Path: b\r\nFrom-Path: a\r\nMessage-ID: ${id}\r\nByte-Range: 1-${bytes}/${bytes}\r\nSuccess-Report: yes\r\nContent-Type: text/plain\r\n\r\n${body}\r\n-------${id}$\r\n`,
    );
  };
  const start = performance.now();
  await new Promise((resolve) => {
    frames(socket, (id) => {
      if (!id.startsWith('r')) return;
      confirmed += 1;
      if (performance.now() - start < durationMs) send();
      else if (confirmed === sent) resolve();
    });
    for (let index = 0; index < window; index += 1) send();
  });
  const seconds = (performance.now() - start) / 1000;
  socket.destroy();
  server.close();
  return { perSecond: confirmed / seconds };
}

function frames(socket, onFrame) {
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
    let end = 0;
    for (const found of text.matchAll(END)) {
      onFrame(found[1]);
      end = found.index + found[0].length;
    }
    text = text.slice(end);
  });
}
