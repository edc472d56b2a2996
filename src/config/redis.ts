/** Keys of the Redis that holds the truth. */
import { z } from 'zod';
import { parseRedisUrl, REDIS_URL_FORMS } from './redis-url.js';

export const redis = z.strictObject({
  url: z
    .string()
    .refine((url) => parseRedisUrl(url) !== undefined, REDIS_URL_FORMS)
    .meta({
      writeOnly: true,
      patternErrorMessage: REDIS_URL_FORMS,
      description:
        'The Redis or Valkey that holds everything; absent: the gateway starts a private server of its own inside dataDir. REDIS_URL sets it too.',
    })
    .optional(),
  durability: z.enum(['always', 'everysec']).default('always').meta({
    description:
      'Private server only: `always` syncs to disk before anything is answered, `everysec` may lose the last second on power loss.',
  }),
  allowVolatile: z.boolean().default(false).meta({
    description:
      'Be ready even on a Redis that may lose data (no append-only file, or a policy that evicts keys).',
  }),
});
