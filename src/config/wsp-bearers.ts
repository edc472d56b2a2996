/** Keys of WSP: connectionless pushes and SIRs to terminals that listen on UDP, and the port where terminals open sessions. */
import { z } from 'zod';
import { advertise, count, host, port } from './shapes.js';

export const wspBearer = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description: 'Whether the gateway has the `wsp` bearer.',
  }),
  host: host('127.0.0.1', 'Address that datagrams are sent from; an IPv6 address sends to IPv6 terminals.'),
  port: port(9200, 'UDP port that they are sent from. 0 takes a free one.'),
  allowPrivateAddresses: z.boolean().default(false).meta({
    description: 'Whether terminals may be reached at loopback, private and link-local addresses.',
  }),
  maxDatagramBytes: count(
    1400,
    128,
    65_507,
    'Largest datagram, octets: what the network carries in one piece. What is larger goes another way.',
  ),
});

export const wsp = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description: 'Whether the gateway listens for terminals that open WSP sessions.',
  }),
  host: host('127.0.0.1', 'Address that it listens on for them.'),
  port: port(9201, 'Its UDP port. 0 takes a free one.'),
  advertise: advertise(
    'host or host:port that SIRs tell terminals to connect to, instead of the bound address. Only an IP address can stand in a SIR.',
  ),
  terminalSecret: z.string().min(16).max(1024).optional().meta({
    description:
      'Secret from which the key of each terminal derives: HMAC-SHA256 of `wsp `, and the terminal id behind it, under it. Absent: terminals show who they are by the SIR that they follow, or by their address.',
    writeOnly: true,
  }),
  sirSuffices: z.boolean().default(true).meta({
    description:
      'Whether a terminal that cites a SIR which was made for it has shown who it is. Off: it needs its key all the same.',
  }),
  addressSuffices: z.boolean().default(false).meta({
    description:
      'Whether a terminal is known by its IP address: that of its `wsp` activation method, or the one that it was sent a SIR at. Only for networks in which nobody can send under the address of another.',
  }),
  maxSessions: count(
    10_000,
    1,
    1_000_000,
    'WSP sessions at a time, suspended ones among them; one address gets a quarter of them.',
  ),
  retransmitMs: count(
    5000,
    50,
    60_000,
    'How long an answer of a terminal is waited for before the datagram is sent again, milliseconds.',
  ),
  maxRetransmissions: count(
    4,
    0,
    20,
    'How often a datagram is sent again before the terminal counts as gone.',
  ),
  maxDatagramBytes: count(
    1400,
    128,
    65_507,
    'Largest datagram, octets. What is larger goes in segments to terminals that put them together.',
  ),
  maxMessageBytes: count(
    262_144,
    1400,
    1_048_576,
    'Largest push in a session, octets, whatever the terminal says that it takes.',
  ),
});
