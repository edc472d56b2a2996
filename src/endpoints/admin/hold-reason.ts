/** Reads why an operator holds a lane: the body of the request, `{ "reason": "…" }`. Shown to people and never acted upon; so is that of a link. */
import { z } from 'zod';
import { readBySchema } from '../../registry/untrusted-json.js';

/** In characters. */
const MAX_HOLD_REASON_LENGTH = 256;

export const reasonSchema = z
  .string()
  .min(1)
  .max(MAX_HOLD_REASON_LENGTH)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'control characters are not allowed');

const holdSchema = z.strictObject({ reason: reasonSchema });

/** Throws DecodeError naming what is wrong. */
export function holdReason(body: unknown): string {
  return readBySchema(holdSchema, body).reason;
}
