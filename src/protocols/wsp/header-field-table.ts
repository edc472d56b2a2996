/**
 * Well-known header fields of WSP code page 1 (WAP-230 table 39 and its OMNA continuation) with the type of their value.
 * A type of `opaque` has a binary form that push does not need: text is read, other forms are kept as octets.
 */
export type HeaderValueType =
  | 'text'
  | 'integer'
  | 'date'
  | 'version'
  | 'application-id'
  | 'media-type'
  | 'charset'
  | 'opaque'
  /** A list of tokens: the first one is written 0x80, the second 0x81 …; any other as text. */
  | readonly string[];

const CODINGS = ['gzip', 'compress', 'deflate'] as const;

/** Ordered by code: 0x00 is the first. */
export const HEADER_FIELDS: readonly (readonly [name: string, type: HeaderValueType])[] = [
  /* 00 */ ['Accept', 'media-type'],
  /* 01 */ ['Accept-Charset', 'charset'],
  /* 02 */ ['Accept-Encoding', CODINGS],
  /* 03 */ ['Accept-Language', 'opaque'],
  /* 04 */ ['Accept-Ranges', ['none', 'bytes']],
  /* 05 */ ['Age', 'integer'],
  /* 06 */ ['Allow', 'opaque'],
  /* 07 */ ['Authorization', 'opaque'],
  /* 08 */ ['Cache-Control', 'opaque'],
  /* 09 */ ['Connection', ['close']],
  /* 0A */ ['Content-Base', 'text'],
  /* 0B */ ['Content-Encoding', CODINGS],
  /* 0C */ ['Content-Language', 'opaque'],
  /* 0D */ ['Content-Length', 'integer'],
  /* 0E */ ['Content-Location', 'text'],
  /* 0F */ ['Content-MD5', 'opaque'],
  /* 10 */ ['Content-Range', 'opaque'],
  /* 11 */ ['Content-Type', 'media-type'],
  /* 12 */ ['Date', 'date'],
  /* 13 */ ['Etag', 'text'],
  /* 14 */ ['Expires', 'date'],
  /* 15 */ ['From', 'text'],
  /* 16 */ ['Host', 'text'],
  /* 17 */ ['If-Modified-Since', 'date'],
  /* 18 */ ['If-Match', 'text'],
  /* 19 */ ['If-None-Match', 'text'],
  /* 1A */ ['If-Range', 'opaque'],
  /* 1B */ ['If-Unmodified-Since', 'date'],
  /* 1C */ ['Location', 'text'],
  /* 1D */ ['Last-Modified', 'date'],
  /* 1E */ ['Max-Forwards', 'integer'],
  /* 1F */ ['Pragma', ['no-cache']],
  /* 20 */ ['Proxy-Authenticate', 'opaque'],
  /* 21 */ ['Proxy-Authorization', 'opaque'],
  /* 22 */ ['Public', 'opaque'],
  /* 23 */ ['Range', 'opaque'],
  /* 24 */ ['Referer', 'text'],
  /* 25 */ ['Retry-After', 'opaque'],
  /* 26 */ ['Server', 'text'],
  /* 27 */ ['Transfer-Encoding', ['chunked']],
  /* 28 */ ['Upgrade', 'text'],
  /* 29 */ ['User-Agent', 'text'],
  /* 2A */ ['Vary', 'opaque'],
  /* 2B */ ['Via', 'text'],
  /* 2C */ ['Warning', 'opaque'],
  /* 2D */ ['WWW-Authenticate', 'opaque'],
  /* 2E */ ['Content-Disposition', 'opaque'],
  /* 2F */ ['X-Wap-Application-Id', 'application-id'],
  /* 30 */ ['X-Wap-Content-URI', 'text'],
  /* 31 */ ['X-Wap-Initiator-URI', 'text'],
  /* 32 */ ['Accept-Application', 'application-id'],
  /* 33 */ ['Bearer-Indication', 'integer'],
  /* 34 */ ['Push-Flag', 'integer'],
  /* 35 */ ['Profile', 'text'],
  /* 36 */ ['Profile-Diff', 'opaque'],
  /* 37 */ ['Profile-Warning', 'opaque'],
  /* 38 */ ['Expect', 'opaque'],
  /* 39 */ ['TE', 'opaque'],
  /* 3A */ ['Trailer', 'opaque'],
  /* 3B */ ['Accept-Charset', 'charset'],
  /* 3C */ ['Accept-Encoding', CODINGS],
  /* 3D */ ['Cache-Control', 'opaque'],
  /* 3E */ ['Content-Range', 'opaque'],
  /* 3F */ ['X-Wap-Tod', 'date'],
  /* 40 */ ['Content-ID', 'opaque'],
  /* 41 */ ['Set-Cookie', 'opaque'],
  /* 42 */ ['Cookie', 'opaque'],
  /* 43 */ ['Encoding-Version', 'version'],
  /* 44 */ ['Profile-Warning', 'opaque'],
  /* 45 */ ['Content-Disposition', 'opaque'],
  /* 46 */ ['X-WAP-Security', ['close-subordinate']],
  /* 47 */ ['Cache-Control', 'opaque'],
  /* 48 */ ['Expect', 'opaque'],
  /* 49 */ ['X-Wap-Loc-Invocation', 'opaque'],
  /* 4A */ ['X-Wap-Loc-Delivery', 'opaque'],
];

/** Highest code of encoding version 1.3, which every push client reads. */
const LAST_CODE_OF_1_3 = 0x43;

/** The code to write for a name, in lower case: the newest that encoding version 1.3 has, else the first of all. */
export const HEADER_CODES: ReadonlyMap<string, number> = (() => {
  const codes = new Map<string, number>();
  for (const [code, [name]] of HEADER_FIELDS.entries()) {
    const key = name.toLowerCase();
    if (code <= LAST_CODE_OF_1_3 || !codes.has(key)) codes.set(key, code);
  }
  return codes;
})();
