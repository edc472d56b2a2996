/**
 * Kannel's push proxy gateway, when Debian's packages `kannel` and `kannel-extras` are installed: the same PAP load on a peer, in
 * the same run. Its messages go to a fake SMSC of its own protocol, which only counts them, or by SMPP to one that is given.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BEARERBOX = '/usr/sbin/bearerbox';
const WAPBOX = '/usr/sbin/wapbox';
const START_LIMIT_MS = 15_000;

export function hasKannel() {
  try {
    for (const program of [BEARERBOX, WAPBOX]) accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts both boxes with the file store, which it writes without syncing. */
export async function startKannel({ smppPort, window } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'kannel-bench-'));
  const [admin, sms, wap, ppg, smsc] = await freePorts(5);
  const file = join(directory, 'kannel.conf');
  writeFileSync(
    file,
    configuration({ admin, sms, wap, ppg, smsc: centreOf({ smsc, smppPort, window }), directory }),
  );
  const options = { cwd: directory, stdio: 'ignore' };
  const bearerbox = spawn(BEARERBOX, ['-v', '4', file], options);
  const centre = smppPort === undefined ? await connected(smsc) : undefined;
  let messages = 0;
  centre?.on('data', (octets) => {
    for (const octet of octets) if (octet === 0x0a) messages += 1;
  });
  (await connected(wap)).destroy(); // one that finds no bearerbox ends at once
  const wapbox = spawn(WAPBOX, ['-v', '4', file], options);
  (await connected(ppg)).destroy();
  return {
    port: ppg,
    pids: [wapbox.pid, bearerbox.pid],
    get messages() {
      return messages;
    },
    async stop() {
      for (const box of [wapbox, bearerbox]) {
        const ended = once(box, 'exit');
        box.kill('SIGKILL'); // it is only measured, and takes long to end in order
        await ended;
      }
      centre?.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const kannelHead = [
  'POST /wappush HTTP/1.1',
  'host: bench',
  `authorization: Basic ${Buffer.from('bench:bench').toString('base64')}`,
  'content-type: multipart/related; type="application/xml"; boundary=b',
  '',
].join('\r\n');

/** The push of the other measurement, addressed to a telephone number: Kannel knows no users. */
export function kannelBody(run, numbers = 100_000) {
  return (sequence) =>
    Buffer.from(
      `--b\r\nContent-Type: application/xml\r\n\r\n<?xml version="1.0"?>
<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 1.0//EN" "http://www.wapforum.org/DTD/pap_1.0.dtd">
<pap product-name="bench"><push-message push-id="${run}.${sequence}@bench.test" source-reference="bench">
<address address-value="WAPPUSH=+4366400${String(sequence % numbers).padStart(5, '0')}/TYPE=PLMN@bench.test"/>
<quality-of-service priority="medium" delivery-method="unconfirmed" network-required="true" network="GSM" bearer-required="true" bearer="SMS"/></push-message></pap>\r\n--b\r
Content-Type: text/vnd.wap.si; charset=utf-8\r\nX-Wap-Application-Id: x-wap-application:wml.ua\r\n\r
<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd"><si><indication href="http://m.example.org/n/7" si-id="n7@example.org" action="signal-medium" si-expires="2030-08-01T00:00:00Z">1 new message</indication></si>\r\n--b--\r\n`,
    );
}

function configuration({ admin, sms, wap, ppg, smsc, directory }) {
  return `group = core
admin-port = ${admin}
admin-password = bench
smsbox-port = ${sms}
wapbox-port = ${wap}
box-allow-ip = "127.0.0.1"
wdp-interface-name = "127.0.0.1"
store-type = file
store-location = ${directory}/kannel.store
store-dump-freq = 10

group = wapbox
bearerbox-host = 127.0.0.1
syslog-level = none

group = ppg
ppg-url = /wappush
ppg-port = ${ppg}
concurrent-pushes = 100
trusted-pi = false
users = 1024
ppg-allow-ip = "127.0.0.1"
global-sender = 13013

group = wap-push-user
wap-push-user = bench
ppg-username = bench
ppg-password = bench
allow-ip = "127.0.0.1"

group = smsbox
bearerbox-host = 127.0.0.1

group = smsc
smsc-id = bench
host = 127.0.0.1
${smsc}
`;
}

function centreOf({ smsc, smppPort, window }) {
  if (smppPort === undefined) return `smsc = fake\nport = ${smsc}\nconnect-allow-ip = 127.0.0.1`;
  return `smsc = smpp\nport = ${smppPort}\ntransceiver-mode = true\nsmsc-username = bench\nsmsc-password = bench
system-type = ""\ninterface-version = 34\naddress-range = ""\nmax-pending-submits = ${window}\nreconnect-delay = 1`;
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A connection as soon as somebody listens. */
async function connected(port) {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    const isThere = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isThere) return socket;
    if (Date.now() > deadline) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
