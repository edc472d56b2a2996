/** Failures of listening, told as one sentence that names the key to change. */
import { describe, expect, it } from 'vitest';
import { explainStartFailure } from '../../src/app/start-failure.js';
import { loadConfig } from '../../src/config/load-config.js';
import { DeliveryError } from '../../src/kernel/errors.js';

const { config } = loadConfig({
  environment: { CARILLON_MSRP_PORT: '8080', CARILLON_MSRP_HOST: '127.0.0.2' },
  workingDirectory: '/nonexistent',
});

function listenError(code: string, address: string, port: number): Error {
  return Object.assign(new Error(code), { code, address, port, syscall: 'listen' });
}

describe('a start that failed', () => {
  it.each([
    [
      listenError('EADDRINUSE', '127.0.0.1', 8080),
      'Port 8080 on 127.0.0.1 is taken: stop the program that has it, or set http.port (CARILLON_HTTP_PORT) to another port.',
    ],
    [
      listenError('EADDRINUSE', '127.0.0.2', 8080),
      'Port 8080 on 127.0.0.2 is taken: stop the program that has it, or set msrp.port (CARILLON_MSRP_PORT) to another port.',
    ],
    [
      new DeliveryError('unreachable', 'cannot listen', {
        cause: listenError('EADDRINUSE', '127.0.0.1', 5060),
      }),
      'Port 5060 on 127.0.0.1 is taken: stop the program that has it, or set sip.port (CARILLON_SIP_PORT) to another port.',
    ],
    [
      listenError('EACCES', '127.0.0.1', 8081),
      'Port 8081 on 127.0.0.1 may not be used by this user: set admin.port (CARILLON_ADMIN_PORT) to a port above 1023, or allow it.',
    ],
    [
      listenError('EADDRNOTAVAIL', '192.0.2.1', 8080),
      '192.0.2.1 is not an address of this machine: set http.host (CARILLON_HTTP_HOST) to one that is.',
    ],
  ])('says what to do: %s', (error, detail) => {
    expect(explainStartFailure(error, config)).toMatchObject({ code: 'unreachable', detail });
  });

  it.each([new Error('broken'), listenError('EPIPE', '127.0.0.1', 1), 'text'])(
    'is left alone when unknown: %s',
    (error) => {
      expect(explainStartFailure(error, config)).toBe(error);
    },
  );
});
