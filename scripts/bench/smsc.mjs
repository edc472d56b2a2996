/**
 * The far end of the SMS measurement: an SMSC that takes everything at once, counts it, and prints its port. It reads no more of a PDU than it has
 * to, so that it costs little beside what it measures. Its parent asks for the count.
 */
import { createServer } from 'node:net';

const RESPONSE = 0x8000_0000;
const SUBMIT = 4;
const HAS_TEXT = new Set([1, 2, 9, SUBMIT]); // binds name themselves, submissions get an id

let count = 0;

const server = createServer((socket) => {
  let held = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (octets) => {
    held = held.length === 0 ? octets : Buffer.concat([held, octets]);
    const answers = [];
    while (held.length >= 16 && held.length >= held.readUInt32BE(0)) {
      const command = held.readUInt32BE(4);
      if (command < RESPONSE) answers.push(answer(command, held.readUInt32BE(12)));
      held = held.subarray(held.readUInt32BE(0));
    }
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
});

function answer(command, sequence) {
  if (command === SUBMIT) count += 1;
  const text = HAS_TEXT.has(command) ? Buffer.from(`${count.toString(16)}\0`) : Buffer.alloc(0);
  const pdu = Buffer.concat([Buffer.alloc(16), text]);
  pdu.writeUInt32BE(pdu.length, 0);
  pdu.writeUInt32BE(command + RESPONSE, 4);
  pdu.writeUInt32BE(sequence, 12);
  return pdu;
}

process.on('message', () => process.send(count));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
