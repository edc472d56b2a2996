/** npm `smpp`, an SMPP stack that is not ours, as a peer in tests; it has no types of its own. Only what tests use is declared. */
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';

export interface PeerPdu {
  readonly command: string;
  readonly command_id: number;
  readonly command_status: number;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
  response(options?: Readonly<Record<string, unknown>>): PeerPdu;
  toBuffer(): Buffer;
}

export interface PeerSession extends EventEmitter {
  readonly socket: Socket;
  send(pdu: PeerPdu, answered?: (pdu: PeerPdu) => void): boolean;
  deliver_sm(options: Readonly<Record<string, unknown>>, answered?: (pdu: PeerPdu) => void): boolean;
  enquire_link(answered?: (pdu: PeerPdu) => void): boolean;
  unbind(answered?: (pdu: PeerPdu) => void): boolean;
  close(): void;
  destroy(): void;
}

interface NodeSmpp {
  readonly PDU: new (command: string | Buffer, options?: Readonly<Record<string, unknown>>) => PeerPdu;
  createServer(options: object, listener: (session: PeerSession) => void): Server;
  readonly commands: Readonly<Record<string, { readonly id: number }>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly tlvs: Readonly<Record<string, { readonly id: number }>>;
}

export const nodeSmpp = createRequire(import.meta.url)('smpp') as NodeSmpp;
