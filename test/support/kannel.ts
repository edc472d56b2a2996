/**
 * Debian's Kannel as a WAP gateway and push proxy gateway: bearerbox and wapbox on a loopback address of their own, because their UDP ports
 * are fixed. Pushes are submitted to it by PAP, as its users do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { when } from './e2e-gateway.js';
import { acceptsTcp, freeAddress, freePort } from './ports.js';

const PATIENCE_MS = 20_000;
/** Where it takes the PDUs of sessions. */
export const KANNEL_PORT = 9201;

export interface KannelPush {
  readonly pushId: string;
  /** IPv4. */
  readonly to: string;
  readonly deliveryMethod: 'confirmed' | 'unconfirmed';
  readonly contentType: string;
  readonly content: string;
}

export class Kannel implements AsyncDisposable {
  readonly address: string;
  readonly #directory: string;
  readonly #boxes: readonly ChildProcess[];
  readonly #port: number;

  private constructor(address: string, directory: string, boxes: readonly ChildProcess[], port: number) {
    this.address = address;
    this.#directory = directory;
    this.#boxes = boxes;
    this.#port = port;
  }

  static async start(): Promise<Kannel> {
    const address = await freeAddress();
    const directory = mkdtempSync(join(tmpdir(), 'carillon-kannel-'));
    const [admin, sms, wap, ppg, centre] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const file = join(directory, 'kannel.conf');
    writeFileSync(
      file,
      `group = core
admin-port = ${admin}
admin-password = test
smsbox-port = ${sms}
wapbox-port = ${wap}
box-allow-ip = "127.0.0.1"
wdp-interface-name = "${address}"
store-type = file
store-location = ${directory}/kannel.store

group = wapbox
bearerbox-host = 127.0.0.1
syslog-level = none

group = ppg
ppg-url = /wappush
ppg-port = ${ppg}
concurrent-pushes = 100
trusted-pi = true
users = 1024
ppg-allow-ip = "127.0.0.1"
global-sender = 13013

group = smsbox
bearerbox-host = 127.0.0.1

group = smsc
smsc = fake
smsc-id = test
host = 127.0.0.1
port = ${centre}
connect-allow-ip = 127.0.0.1
`,
    );
    const box = (name: string) =>
      spawn(`/usr/sbin/${name}`, ['-v', '4', '-F', join(directory, `${name}.log`), '-V', '0', file], {
        cwd: directory,
        stdio: 'ignore',
      });
    const boxes = [box('bearerbox')];
    try {
      await when(() => acceptsTcp(wap), Boolean, 'bearerbox');
      boxes.push(box('wapbox'));
      await when(() => acceptsTcp(ppg), Boolean, 'wapbox');
      const kannel = new Kannel(address, directory, boxes, ppg);
      await kannel.logged('bearerbox', 'Client connected from');
      return kannel;
    } catch (error) {
      for (const child of boxes) child.kill('SIGKILL');
      const log = readFileSync(join(directory, 'bearerbox.log'), 'latin1').slice(-3000);
      throw new Error(`Kannel does not start:\n${log}`, { cause: error });
    }
  }

  /** Resolves when the log of the box holds this text. */
  async logged(box: 'bearerbox' | 'wapbox', text: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.log(box).includes(text)) {
      if (Date.now() > deadline)
        throw new Error(`${box} never said "${text}":\n${this.log(box).slice(-4000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Everything that it has said so far. */
  log(box: 'bearerbox' | 'wapbox'): string {
    try {
      return readFileSync(join(this.#directory, `${box}.log`), 'latin1');
    } catch {
      return '';
    }
  }

  /** The PAP answer. */
  async push({ pushId, to, deliveryMethod, contentType, content }: KannelPush): Promise<string> {
    const control = `<?xml version="1.0"?>
<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 1.0//EN" "http://www.wapforum.org/DTD/pap_1.0.dtd">
<pap product-name="test"><push-message push-id="${pushId}">
<address address-value="WAPPUSH=${to}/TYPE=IPv4@ppg.example.test"/>
<quality-of-service priority="medium" delivery-method="${deliveryMethod}" network-required="false" bearer-required="false"/></push-message></pap>`;
    const answer = await fetch(`http://127.0.0.1:${this.#port}/wappush?username=test&password=test`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; type="application/xml"; boundary=b' },
      body: [
        '--b\r\nContent-Type: application/xml\r\n\r\n',
        control,
        `\r\n--b\r\nContent-Type: ${contentType}\r\nX-Wap-Application-Id: x-wap-application:wml.ua\r\n\r\n`,
        content,
        '\r\n--b--\r\n',
      ].join(''),
    });
    return answer.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const box of this.#boxes) {
      if (box.exitCode !== null || box.signalCode !== null) continue; // it has crashed
      const ended = once(box, 'exit');
      box.kill('SIGKILL'); // it takes long to end in order
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
