/** One full and one sparse value of every PAP operation, shared by the codec tests. */
import type { PapOperation } from '../../../src/protocols/pap/index.js';

const T1 = Date.UTC(2026, 6, 30, 10, 0, 0);
const T2 = Date.UTC(2026, 6, 30, 10, 0, 9);
const ADDRESSES = ['WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net', 'WAPPUSH=alice/TYPE=USER@ppg.example.net'];
const QUALITY = {
  priority: 'high',
  deliveryMethod: 'confirmed',
  network: 'GSM',
  networkRequired: true,
  bearer: 'Packet Data',
  bearerRequired: true,
} as const;
const PLAIN_QUALITY = {
  priority: 'medium',
  deliveryMethod: 'notspecified',
  networkRequired: false,
  bearerRequired: false,
} as const;

export const OPERATIONS: readonly (readonly [string, PapOperation])[] = [
  [
    'a full push-message',
    {
      kind: 'push-message',
      pushId: '7@pi.example.org',
      replacePushId: '6@pi.example.org',
      replaceMethod: 'pending-only',
      deliverBeforeTimestamp: T2,
      deliverAfterTimestamp: T1,
      sourceReference: 'campaign 12',
      progressNotesRequested: true,
      ppgNotifyRequestedTo: 'https://pi.example.org/result?x=1&y=2',
      addresses: ADDRESSES,
      qualityOfService: QUALITY,
    },
  ],
  [
    'a sparse push-message',
    {
      kind: 'push-message',
      pushId: '7',
      replaceMethod: 'all',
      progressNotesRequested: false,
      addresses: ADDRESSES.slice(0, 1),
      qualityOfService: PLAIN_QUALITY,
    },
  ],
  [
    'a full push-response',
    {
      kind: 'push-response',
      pushId: '7@pi.example.org',
      senderAddress: 'http://ppg.example.net/pap',
      senderName: 'demo "ppg" <&>',
      replyTime: T1,
      progressNotes: [{ stage: 'accepted', note: 'tab\tline\nbreak\r', time: T1 }, { stage: 'queued' }],
      code: 1001,
      desc: 'Accepted',
    },
  ],
  ['a sparse push-response', { kind: 'push-response', pushId: '7', progressNotes: [], code: 2000 }],
  ['a cancel-message for some', { kind: 'cancel-message', pushId: '7', addresses: ADDRESSES }],
  ['a cancel-message for all', { kind: 'cancel-message', pushId: '7', addresses: [] }],
  [
    'a cancel-response',
    {
      kind: 'cancel-response',
      pushId: '7',
      results: [
        { code: 1000, addresses: ADDRESSES },
        { code: 2008, desc: 'Already sent', addresses: [] },
      ],
    },
  ],
  [
    'a full resultnotification-message',
    {
      kind: 'resultnotification-message',
      pushId: '7',
      senderAddress: 'a',
      senderName: 'b',
      receivedTime: T1,
      eventTime: T2,
      messageState: 'delivered',
      code: 1000,
      desc: 'grüß 𝄞',
      addresses: ADDRESSES,
      qualityOfService: QUALITY,
    },
  ],
  [
    'a sparse resultnotification-message',
    {
      kind: 'resultnotification-message',
      pushId: '7',
      messageState: 'aborted',
      code: 5000,
      addresses: ADDRESSES.slice(0, 1),
    },
  ],
  [
    'a full resultnotification-response',
    {
      kind: 'resultnotification-response',
      pushId: '7',
      code: 1000,
      desc: 'OK',
      addresses: ADDRESSES.slice(1),
    },
  ],
  [
    'a sparse resultnotification-response',
    { kind: 'resultnotification-response', pushId: '7', code: 2000, addresses: [] },
  ],
  ['a statusquery-message for some', { kind: 'statusquery-message', pushId: '7', addresses: ADDRESSES }],
  ['a statusquery-message for all', { kind: 'statusquery-message', pushId: '7', addresses: [] }],
  [
    'a statusquery-response',
    {
      kind: 'statusquery-response',
      pushId: '7',
      results: [
        {
          eventTime: T2,
          messageState: 'expired',
          code: 4000,
          desc: 'late',
          addresses: ADDRESSES,
          qualityOfService: QUALITY,
        },
        { messageState: 'unknown', code: 2004, addresses: [] },
      ],
    },
  ],
  [
    'a full ccq-message',
    {
      kind: 'ccq-message',
      queryId: 'q1',
      appId: 'x-wap-application:wml.ua',
      address: 'WAPPUSH=+1/TYPE=PLMN',
    },
  ],
  ['a sparse ccq-message', { kind: 'ccq-message', address: 'WAPPUSH=+1/TYPE=PLMN' }],
  [
    'a full ccq-response',
    { kind: 'ccq-response', queryId: 'q1', code: 3008, desc: 'none', address: 'WAPPUSH=+1/TYPE=PLMN' },
  ],
  ['a sparse ccq-response', { kind: 'ccq-response', code: 3001 }],
  [
    'a full badmessage-response',
    {
      kind: 'badmessage-response',
      code: 2000,
      desc: 'Malformed',
      badMessageFragment: '<papp a="b">&amp;\r\n',
    },
  ],
  ['a sparse badmessage-response', { kind: 'badmessage-response', code: 3002 }],
];
