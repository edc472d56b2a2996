/**
 * A push initiator as its author would write it from the PAP documents: XML put together by hand, posted by `fetch`, answers read
 * by a general XML parser. Nothing of the gateway's own codecs is used, so that both sides cannot be wrong in the same way.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { XMLParser } from 'fast-xml-parser';
import { type E2eGateway, INITIATOR } from './e2e-gateway.js';

export interface PushOrder {
  readonly pushId: string;
  /** PAP addresses; see `addressOf`. */
  readonly to: string | readonly string[];
  readonly content?: string | Uint8Array;
  readonly contentType?: string;
  /** Further headers of the content entity, one line each. */
  readonly headers?: readonly string[];
  readonly priority?: 'low' | 'medium' | 'high';
  readonly deliveryMethod?: 'confirmed' | 'unconfirmed';
  readonly deliverBefore?: number;
  readonly deliverAfter?: number;
  readonly notifyTo?: string;
}

export interface PapAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Name of the element in `<pap>`. */
  readonly kind: string;
  /** Of that element or of the result in it; the first one. */
  readonly code: number;
  /** The element as attributes and children, attributes under their own names. */
  readonly element: XmlElement;
  readonly text: string;
}

export interface XmlElement {
  readonly [name: string]: unknown;
}

export type Credentials = { readonly id: string; readonly password: string } | { readonly token: string };

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' });

export class Initiator {
  readonly #gateway: E2eGateway;
  readonly #authorization: string | undefined;
  readonly #ca: Buffer | undefined;

  /** With `ca` it calls by https. */
  constructor(gateway: E2eGateway, credentials: Credentials | undefined = INITIATOR, ca?: Buffer) {
    this.#gateway = gateway;
    this.#ca = ca;
    this.#authorization = credentials && authorizationOf(credentials);
  }

  /** Submits, and rejects unless the answer is 1001. */
  async push(order: PushOrder): Promise<void> {
    const { code, text } = await this.submit(order);
    if (code !== 1001) throw new Error(`the gateway answered ${code}:\n${text}`);
  }

  submit(order: PushOrder): Promise<PapAnswer> {
    const { content = 'Hello', contentType = 'text/plain; charset=utf-8', headers = [] } = order;
    const entity = [`Content-Type: ${contentType}`, ...headers].join('\r\n');
    const body = Buffer.concat([
      Buffer.from('--b1\r\nContent-Type: application/xml\r\n\r\n'),
      Buffer.from(papDocument(pushElement(order))),
      Buffer.from(`\r\n--b1\r\n${entity}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n--b1--\r\n'),
    ]);
    return this.post('multipart/related; type="application/xml"; boundary=b1', body);
  }

  /** Asks with a document of one operation, `<statusquery-message …/>` for instance. */
  ask(operation: string): Promise<PapAnswer> {
    return this.post('application/xml', Buffer.from(papDocument(operation)));
  }

  async post(contentType: string, body: Uint8Array<ArrayBuffer>): Promise<PapAnswer> {
    const headers = {
      'content-type': contentType,
      ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
    };
    if (this.#ca !== undefined) return this.#postSecurely(headers, body, this.#ca);
    const url = `http://127.0.0.1:${this.#gateway.ports.http}/pap`;
    const answer = await fetch(url, { method: 'POST', headers, body });
    return readAnswer(answer.status, await answer.text());
  }

  /** `fetch` knows no CAs but its own. */
  async #postSecurely(headers: Record<string, string>, body: Uint8Array, ca: Buffer): Promise<PapAnswer> {
    const { http: port } = this.#gateway.ports;
    const posted = request({ host: '127.0.0.1', port, path: '/pap', method: 'POST', headers, ca });
    posted.end(body);
    const [answer] = (await once(posted, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of answer.setEncoding('utf8')) text += part;
    return readAnswer(answer.statusCode ?? 0, text);
  }
}

function authorizationOf(credentials: Credentials): string {
  if ('token' in credentials) return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.id}:${credentials.password}`).toString('base64')}`;
}

/** The general parser stops at a processing instruction inside the DOCTYPE, which PAP has (`wap-pap-ver`). */
function readAnswer(status: number, text: string): PapAnswer {
  const withoutSubset = text.replace(/\[\s*<\?wap-pap-ver[^\]]*\]/, '');
  const pap = (parser.parse(withoutSubset) as { pap?: XmlElement }).pap ?? {};
  const kind = Object.keys(pap).find((name) => name.includes('-response') || name.includes('-message')) ?? '';
  const element = (pap[kind] ?? {}) as XmlElement;
  return { status, kind, code: Number(/\bcode="(\d+)"/.exec(text)?.[1] ?? 0), element, text };
}

/** A document of PAP 2.0 around one operation. */
export function papDocument(
  operation: string,
  publicId = '-//WAPFORUM//DTD PAP 2.0//EN',
  systemId = 'http://www.wapforum.org/DTD/pap_2.0.dtd',
): string {
  return `<?xml version="1.0"?>\n<!DOCTYPE pap PUBLIC "${publicId}" "${systemId}">\n<pap>${operation}</pap>`;
}

export function pushElement(order: PushOrder): string {
  const { pushId, to, deliverBefore, deliverAfter, notifyTo, priority, deliveryMethod } = order;
  const attributes = [
    `push-id="${escaped(pushId)}"`,
    ...(deliverBefore === undefined ? [] : [`deliver-before-timestamp="${timestamp(deliverBefore)}"`]),
    ...(deliverAfter === undefined ? [] : [`deliver-after-timestamp="${timestamp(deliverAfter)}"`]),
    ...(notifyTo === undefined ? [] : [`ppg-notify-requested-to="${escaped(notifyTo)}"`]),
  ];
  const addresses = [to].flat().map((address) => `<address address-value="${escaped(address)}"/>`);
  const wishes = [
    ...(priority === undefined ? [] : [`priority="${priority}"`]),
    ...(deliveryMethod === undefined ? [] : [`delivery-method="${deliveryMethod}"`]),
  ];
  const quality = wishes.length === 0 ? '' : `<quality-of-service ${wishes.join(' ')}/>`;
  return `<push-message ${attributes.join(' ')}>${addresses.join('')}${quality}</push-message>`;
}

/** The PAP address of a user, or of one device of the user. */
export function addressOf(user: string, device?: string): string {
  const qualifier = device === undefined ? '' : `/device=${encodeURIComponent(device)}`;
  return `WAPPUSH=${encodeURIComponent(user)}${qualifier}/TYPE=USER@ppg.carillon.test`;
}

/** PAP's timestamps have no fraction; the second that has begun counts. */
function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
