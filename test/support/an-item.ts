/** A push as a bearer or a session gets it to carry; `more` says what is different. */
import type { CarriedItem } from '../../src/push/ports.js';
import { T0 } from './fake-clock.js';

export const ITEM_ID = '0123456789abcdef0123456789abcdef';

export function anItem(content: string | Uint8Array = 'Hello', more: Partial<CarriedItem> = {}): CarriedItem {
  return {
    id: ITEM_ID,
    contentType: 'text/plain',
    headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' }],
    content: Buffer.from(content),
    expiresAt: T0 + 60_000,
    confirmation: 'wanted',
    ...more,
  };
}
