/** What every directory of groups must do: the memory twin, and Redis of the tests' own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Group, GroupDirectory } from '../../src/registry/group.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisGroupDirectory } from '../../src/stores/redis-groups.js';
import { MemoryGroupDirectory } from '../support/memory-groups.js';
import { TestRedis } from '../support/redis.js';

const id = publicUserIdentity;
const FAMILY = id('sip:family@example.test');
const group = (address: string, ...members: readonly string[]): Group => ({
  id: id(address),
  members: members.map(id),
});
const family = group(FAMILY, 'sip:alice@example.test', 'tel:+436641234567');

let server: TestRedis;
let redis: RedisClient;
beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});
afterAll(() => server?.stop());

describe.each<[string, () => GroupDirectory | Promise<GroupDirectory>]>([
  ['MemoryGroupDirectory', () => new MemoryGroupDirectory()],
  [
    'RedisGroupDirectory',
    async () => {
      await redis.flushall();
      return new RedisGroupDirectory(redis);
    },
  ],
])('%s', (_, make) => {
  let groups: GroupDirectory;
  beforeEach(async () => {
    groups = await make();
  });

  it('finds a group by its address', async () => {
    await groups.putGroup(family);
    expect(await groups.findGroup(FAMILY)).toEqual(family);
  });

  it('finds nothing where no group is', async () => {
    expect(await groups.findGroup(FAMILY)).toBeUndefined();
  });

  it('says whether a group was created or replaced', async () => {
    expect([await groups.putGroup(family), await groups.putGroup(family)]).toEqual([true, false]);
  });

  it('replaces all members', async () => {
    await groups.putGroup(family);
    await groups.putGroup(group(FAMILY, 'sip:bob@example.test'));
    expect((await groups.findGroup(FAMILY))?.members).toEqual(['sip:bob@example.test']);
  });

  it('removes a group, once', async () => {
    await groups.putGroup(family);
    expect([await groups.deleteGroup(FAMILY), await groups.deleteGroup(FAMILY)]).toEqual([true, false]);
    expect(await groups.findGroup(FAMILY)).toBeUndefined();
    expect((await groups.listGroups({ limit: 10 })).groups).toEqual([]);
  });

  it('lists groups by address, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await groups.putGroup(group(`sip:${name}@example.test`, 'tel:+431'));
    const first = await groups.listGroups({ limit: 2 });
    expect(first.groups.map((one) => one.id)).toEqual(['sip:a@example.test', 'sip:b@example.test']);
    const rest = await groups.listGroups({
      limit: 2,
      ...(first.cursor === undefined ? {} : { cursor: first.cursor }),
    });
    expect(rest.groups.map((one) => one.id)).toEqual(['sip:c@example.test']);
    expect(rest.cursor).toBeUndefined();
  });
});
