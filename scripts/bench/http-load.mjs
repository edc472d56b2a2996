/**
 * A load generator for one POST target: a number of connections, each with one request under way, over plain sockets, so
 * that it costs little beside what it measures.
 */
import { connect } from 'node:net';

/**
 * Sends `body(sequence)` over and over until `durationMs` has passed, then lets the last answers arrive.
 * `isGood(answer)` judges the text of an answer. Returns what came back, and how long each took.
 */
export async function load({ host, port, head, body, connections, durationMs, isGood, firstSequence = 0 }) {
  const latencies = [];
  let sequence = firstSequence;
  let good = 0;
  let bad = 0;
  let sample = '';
  const start = performance.now();
  const end = start + durationMs;

  const run = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      let received = '';
      let sentAt = 0;
      const send = () => {
        const octets = body(sequence++);
        sentAt = performance.now();
        socket.cork();
        socket.write(`${head}content-length: ${octets.length}\r\n\r\n`);
        socket.write(octets);
        socket.uncork();
      };
      socket.setEncoding('latin1');
      socket.on('connect', send);
      socket.on('data', (text) => {
        received += text;
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
        if (received.length < headEnd + 4 + length) return;
        latencies.push(performance.now() - sentAt);
        if (isGood(received)) good += 1;
        else {
          bad += 1;
          sample ||= received;
        }
        received = '';
        if (performance.now() < end) send();
        else socket.end();
      });
      socket.on('error', reject);
      socket.on('close', resolve);
    });
  await Promise.all(Array.from({ length: connections }, run));
  const seconds = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  const percentile = (share) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    good,
    bad,
    sample,
    seconds,
    perSecond: good / seconds,
    p50: percentile(0.5),
    p99: percentile(0.99),
    nextSequence: sequence,
  };
}
