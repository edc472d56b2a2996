/**
 * A push as WSP carries it, with or without a session: the push headers as fields of their own, the version in which they are encoded
 * (WAP-230 §8.4.1), and our id of the push, by which a terminal tells a repetition.
 */
import { RefusedError } from '../../kernel/errors.js';
import type { ConnectionItem } from '../../lane/ports.js';
import { parseContentType } from '../../protocols/mime/index.js';
import type { PushContents } from '../../protocols/wsp/index.js';

/** The same name as by OTA-HTTP. */
const PUSH_ID_HEADER = 'X-Push-Id';
const ENCODING_VERSION = '1.3';

/** Throws RefusedError for a content type that cannot be written. */
export function pushContents(
  { id, contentType, headers }: Pick<ConnectionItem, 'id' | 'contentType' | 'headers'>,
  body: Uint8Array,
): PushContents {
  return {
    contentType: readContentType(contentType),
    headers: [
      ...headers,
      { name: 'Encoding-Version', value: ENCODING_VERSION },
      { name: PUSH_ID_HEADER, value: id },
    ],
    body,
  };
}

function readContentType(value: string) {
  try {
    return parseContentType(value);
  } catch {
    throw new RefusedError('malformed', `the content type ${JSON.stringify(value)} cannot be read`);
  }
}
