/**
 * Other people's code as referees of OTA-HTTP: nginx as the terminal that listens and reads our requests, curl as the gateway that calls our
 * terminal, tshark on both messages of a push and on the SIR inside.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OtaHttpBearer } from '../../src/bearers/ota-http/ota-http-bearer.js';
import { siaFor } from '../../src/bearers/sir-body.js';
import { encodeHttpMessage } from '../../src/protocols/http/index.js';
import { encodePushRequest, type PushRequest } from '../../src/protocols/ota-http/index.js';
import { encodeSia } from '../../src/protocols/sia/index.js';
import { OtaHttpListener } from '../../src/terminal/ota-http-listener.js';
import { OtaResponder } from '../../src/terminal/ota-http-responder.js';
import { BearerStage, SENDER } from '../support/bearer-stage.js';
import { when } from '../support/e2e-gateway.js';
import { freePort } from '../support/ports.js';
import { dissect, dissectFields } from '../support/tshark.js';

const run = promisify(execFile);
const OTA = { ...SENDER, otaHttp: { address: '192.0.2.2', port: 4035 } } as const;
const TAG = Buffer.from([1, 2, 3, 4]);

async function sirRequest(): Promise<PushRequest> {
  await using stage = await BearerStage.set([]);
  return {
    id: 'sir-1',
    contentType: 'application/vnd.wap.sia',
    headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
    content: encodeSia(siaFor({ ...stage.sir, otaHttp: { cpiTag: TAG } }, OTA)),
  };
}

describe('tshark', () => {
  const sent = (payload: Uint8Array, sourcePort: number, destinationPort: number) => ({
    protocol: 'tcp' as const,
    sourcePort,
    destinationPort,
    payload,
  });
  const AS_HTTP = ['-d', 'tcp.port==4035,http'];

  it('reads the request as HTTP whose length is right, and its body as application/http', async () => {
    const { headers, body } = encodePushRequest(await sirRequest(), 0);
    const host = { name: 'Host', value: '192.0.2.2:4035' };
    const head = {
      kind: 'request',
      method: 'POST',
      target: '/wappush',
      headers: [host, ...headers],
    } as const;
    const request = sent(encodeHttpMessage(head, body), 40_000, 4035);
    const fields = [
      'http.request.uri',
      'http.content_type',
      'http.content_length',
      'http.file_data',
    ] as const;
    const [frame] = await dissectFields([request], fields, AS_HTTP);
    expect(frame?.get('http.request.uri')).toEqual(['/wappush']);
    expect(frame?.get('http.content_type')).toEqual(['application/http']);
    expect(frame?.get('http.content_length')).toEqual([String(body.length)]);
    const text = await dissect([request], [...AS_HTTP, '-V']);
    expect(text).not.toMatch(/malformed|unreassembled|Expert Info \((?:Warning|Error)/i);
  });

  it('reads the message inside as a response that holds a SIR with our contact point and tag', async () => {
    const { body } = encodePushRequest(await sirRequest(), 0);
    const response = sent(body, 4035, 40_000);
    const fields = [
      'http.response.code',
      'wap.sir.version',
      'wap.sir.protocol_options',
      'wap.sir.cpi_tag',
      'wsp.address.ipv4',
      '_ws.malformed',
    ] as const;
    const [frame] = await dissectFields([response], fields, AS_HTTP);
    expect(frame?.get('http.response.code')).toEqual(['200']);
    expect(frame?.get('wap.sir.version')).toEqual(['1']);
    expect(frame?.get('wap.sir.protocol_options')).toEqual(['1', '256']);
    expect(frame?.get('wap.sir.cpi_tag')).toEqual(['01020304']);
    expect(frame?.get('wsp.address.ipv4')).toEqual(['192.0.2.2', '192.0.2.1']);
    expect(frame?.get('_ws.malformed')).toEqual([]);
  });
});

describe('nginx as the terminal', () => {
  let directory: string;
  let port: number;
  let nginx: ReturnType<typeof spawn>;
  let ended: Promise<unknown>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'carillon-nginx-'));
    port = await freePort();
    writeFileSync(join(directory, 'nginx.conf'), configuration(directory, port));
    nginx = spawn(
      'nginx',
      ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')],
      {
        stdio: 'ignore',
      },
    );
    ended = new Promise((resolve) => nginx.once('exit', resolve));
    await answers(port, () => readFileSync(join(directory, 'error.log'), 'utf8'));
  });
  afterAll(async () => {
    nginx.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });

  /** What it logged of each request: method, content type, headers of ours, octets of the body. */
  const log = () =>
    readFileSync(join(directory, 'access.log'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, string>);

  async function carried(path: string, count = 1) {
    await using stage = await BearerStage.set([{ bearer: 'ota-http' }]);
    const { http, registry, clock } = stage;
    const bearer = new OtaHttpBearer({ http, registry, clock }, OTA);
    const outcomes = [];
    for (let index = 0; index < count; index += 1)
      outcomes.push(await bearer.carry(stage.terminal, stage.item(), `http://127.0.0.1:${port}${path}`));
    const report = (await registry.findTerminal(stage.terminal.id))?.reported?.cpi;
    return { outcomes, report };
  }

  /** The requests after the first so many, once there are so many more: it logs after it has answered. */
  const logged = (before: number, count: number) =>
    when(
      () => log().slice(before),
      ({ length }) => length === count,
      'the log of nginx',
    );

  it('takes our pushes on one connection and confirms them', async () => {
    const before = log().length;
    const { outcomes } = await carried('/wappush', 3);
    expect(outcomes).toEqual([{ kind: 'confirmed' }, { kind: 'confirmed' }, { kind: 'confirmed' }]);
    const requests = await logged(before, 3);
    expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      type: 'application/http',
      version: '1.0',
      id: '0123456789abcdef0123456789abcdef',
    });
    expect(requests[0]?.body).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nContent-Length: 5\r\n\r\nHello$/);
  });

  it('that knows no other path is a terminal that cannot be reached there', async () => {
    const before = log().length;
    const { outcomes } = await carried('/elsewhere');
    await logged(before, 1);
    expect(outcomes).toMatchObject([{ kind: 'lost', detail: expect.stringContaining('404') }]);
  });

  it('that has changed is asked by OPTIONS, and its answer is kept', async () => {
    const before = log().length;
    const { outcomes, report } = await carried('/changed');
    // It says 256 to every push, whatever it is taken for: once more, and then no more.
    expect(outcomes).toMatchObject([{ kind: 'lost' }]);
    expect((await logged(before, 3)).map(({ method, tag }) => [method, tag])).toEqual([
      ['POST', ''],
      ['OPTIONS', ''],
      ['POST', 'AQIDBA=='],
    ]);
    expect(report).toMatchObject({ tag: 'AQIDBA==', accept: ['text/plain'], maxMessageSize: 1400 });
  });
});

/** In the foreground, one process, everything in its own directory. */
function configuration(directory: string, port: number): string {
  const log = [
    '"method":"$request_method"',
    '"type":"$http_content_type"',
    '"version":"$http_x_wap_push_ota_version"',
    '"tag":"$http_x_wap_cpitag"',
    '"id":"$http_x_push_id"',
    '"connection":"$connection"',
    '"body":"$request_body"',
  ].join(',');
  const status = (text: string) => `add_header X-Wap-Push-Status "${text}" always;`;
  return `
daemon off; master_process off; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 64; }
http {
  log_format push escape=json '{${log}}';
  access_log ${directory}/access.log push;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port};
    location = /taken { access_log off; return 204; }
    # The body is read when it is passed on, and only then logged.
    location = /wappush { ${status('400 Accepted')} proxy_pass http://127.0.0.1:${port}/taken; proxy_pass_request_body off; proxy_set_header Content-Length ""; client_max_body_size 1m; }
    location = /changed {
      ${status('256')}
      if ($request_method = OPTIONS) { return 418; }
      return 204;
    }
    location / { return 404; }
    error_page 418 = @told;
    location @told {
      ${status('501')}
      add_header X-Wap-CPITag "AQIDBA==" always;
      add_header X-Wap-Push-Accept "text/plain" always;
      add_header X-Wap-Push-MsgSize "1400" always;
      return 204;
    }
  }
}
`;
}

async function answers(port: number, words: () => string): Promise<void> {
  const url = `http://127.0.0.1:${port}/taken`;
  for (const until = Date.now() + 20_000; ; ) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 204) return;
    if (Date.now() > until) throw new Error(`nginx does not answer: ${words()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('curl as the gateway', () => {
  const taken: PushRequest[] = [];
  let listener: OtaHttpListener;
  let responder: OtaResponder;

  beforeAll(async () => {
    responder = new OtaResponder({
      terminalId: 'urn:uuid:00000000-0000-4000-8000-000000000001',
      capabilities: [{ name: 'X-Wap-Push-MsgSize', value: '1400' }],
      take: async (push) => {
        taken.push(push);
        return 400;
      },
    });
    listener = await OtaHttpListener.start(responder, { host: '127.0.0.1', port: 0 });
  });
  afterAll(() => listener[Symbol.asyncDispose]());

  /** Status line and header fields that curl saw. */
  async function curl(...options: readonly string[]): Promise<string> {
    const { stdout } = await run('curl', ['-sS', '-i', '--noproxy', '*', '--max-time', '20', ...options]);
    return stdout.replaceAll('\r\n', '\n');
  }
  const post = (type: string, data: string, ...more: readonly string[]) =>
    curl('-H', `Content-Type: ${type}`, ...more, '--data-binary', data, listener.url);

  it('gets 204 and the status of a push that the terminal took', async () => {
    const seen = await post('application/http', 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nby curl');
    expect(seen).toMatch(/^HTTP\/1\.1 204 No Content\n/);
    expect(seen).toContain('X-Wap-Push-Status: 400 Accepted\n');
    expect(Buffer.from(taken.at(-1)?.content ?? '').toString()).toBe('by curl');
  });

  it('may send the content as it is', async () => {
    expect(await post('text/plain', 'plainly')).toContain('X-Wap-Push-Status: 400 Accepted\n');
    expect(taken.at(-1)).toMatchObject({ contentType: 'text/plain', content: Buffer.from('plainly') });
  });

  it('that takes the terminal for another one is told', async () => {
    const count = taken.length;
    const seen = await post('text/plain', 'x', '-H', 'X-Wap-CPITag: deadbeef');
    expect(seen).toContain('X-Wap-Push-Status: 256');
    expect(seen).toContain(`X-Wap-CPITag: ${responder.cpiTag}\n`);
    expect(taken).toHaveLength(count);
  });

  it('that asks is told who the terminal is and what it takes', async () => {
    const seen = await curl('-X', 'OPTIONS', listener.url);
    expect(seen).toMatch(/^HTTP\/1\.1 204 No Content\n/);
    for (const line of [
      'X-Wap-Push-Status: 501',
      'X-Wap-Terminal-Id: urn:uuid:00000000-0000-4000-8000-000000000001\n',
      'X-Wap-Push-MsgSize: 1400\n',
    ])
      expect(seen).toContain(line);
    const known = await curl('-X', 'OPTIONS', '-H', `X-Wap-CPITag: ${responder.cpiTag}`, listener.url);
    expect(known).toContain('X-Wap-Push-Status: 500');
    expect(known).not.toContain('MsgSize');
  });

  it('that goes elsewhere is told so', async () => {
    expect(await curl('-X', 'POST', listener.url.replace('/wappush', '/other'))).toMatch(/^HTTP\/1\.1 404 /);
    const refused = await curl('-X', 'GET', listener.url);
    expect(refused).toMatch(/^HTTP\/1\.1 405 /);
    expect(refused).toContain('Allow: POST, OPTIONS\n');
  });
});
