/** Every form of redis.url, and text that is none. */
import { describe, expect, it } from 'vitest';
import { describeRedisAddress, parseRedisUrl } from '../../src/config/redis-url.js';

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost', { kind: 'single', tls: false, host: 'localhost', port: 6379, db: 0 }],
    [
      'rediss://bob:p%40ss@r.example.test:6380/3',
      {
        kind: 'single',
        tls: true,
        host: 'r.example.test',
        port: 6380,
        db: 3,
        username: 'bob',
        password: 'p@ss',
      },
    ],
    [
      'redis://:pw@[::1]:7000',
      { kind: 'single', tls: false, host: '::1', port: 7000, db: 0, password: 'pw' },
    ],
    ['unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock', db: 0 }],
    [
      'redis+sentinel://:pw@s1,s2:26380/main/2',
      {
        kind: 'sentinel',
        tls: false,
        master: 'main',
        db: 2,
        password: 'pw',
        sentinels: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26380 },
        ],
      },
    ],
    [
      'rediss+cluster://n1:7001,n2',
      {
        kind: 'cluster',
        tls: true,
        nodes: [
          { host: 'n1', port: 7001 },
          { host: 'n2', port: 6379 },
        ],
      },
    ],
  ])('reads %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://a,b',
    'redis://a:0',
    'redis://a:65536',
    'redis://a/x',
    'redis://%zz@a',
    'redis+sentinel://a',
    'redis+sentinel://a/name/0/more',
    'redis+cluster://a/1',
    'unix://host/path',
    'redis+other://a',
  ])('refuses "%s"', (url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
  });

  it('is described without its credentials', () => {
    const described = ['redis://bob:pw@[::1]', 'rediss+cluster://:pw@a:1,b', 'redis+sentinel://:pw@s/m'].map(
      (url) => {
        const address = parseRedisUrl(url);
        return address === undefined ? undefined : describeRedisAddress(address);
      },
    );
    expect(described).toEqual([
      'redis://[::1]:6379/0',
      'rediss+cluster://a:1,b:6379',
      'redis+sentinel://s:26379/m',
    ]);
  });
});
