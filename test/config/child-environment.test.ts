/** What a gateway that another command starts finds in its environment. */
import { expect, it } from 'vitest';
import { childEnvironment } from '../../src/config/child-environment.js';

it('holds what programs need and the settings given, and no other setting', () => {
  const environment = { PATH: '/bin', HOME: '/home', REDIS_URL: 'redis://other', CARILLON_HTTP_PORT: '1' };
  expect(childEnvironment({ CARILLON_DOMAIN: 'a.test' }, environment)).toEqual({
    PATH: '/bin',
    HOME: '/home',
    CARILLON_DOMAIN: 'a.test',
  });
});
