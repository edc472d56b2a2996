/** Push notification services that the registrar promises have to lead somewhere. */
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const messages = (config: object) =>
  configSchema.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ??
  [];
const registrar = (...pushServices: string[]) => ({ sip: { registrar: { pushServices } } });

describe('sip.registrar.pushServices', () => {
  it('names webpush only when the gateway speaks it', () => {
    expect(messages(registrar('webpush'))).toEqual([
      'sip.registrar.pushServices: webpush only together with webPush.subject',
    ]);
    expect(messages({ ...registrar('webpush'), webPush: { subject: 'mailto:ops@example.test' } })).toEqual(
      [],
    );
  });

  it('names others only when somebody can be asked to reach them', () => {
    const httpCallback = { address: 'https://wake.example.test/', secret: SECRET };
    expect(messages(registrar('fcm'))).toHaveLength(1);
    expect(messages({ ...registrar('fcm'), httpCallback: { secret: SECRET } })).toHaveLength(1);
    expect(messages({ ...registrar('fcm', 'apns'), httpCallback })).toEqual([]);
  });
});

it('secrets of call-backs have the form of Standard Webhooks, and are not repeated in a refusal', () => {
  const [message = ''] = messages({ httpCallback: { secret: 'short secret' } });
  expect(message).toContain('whsec_');
  expect(message).not.toContain('short secret');
});
