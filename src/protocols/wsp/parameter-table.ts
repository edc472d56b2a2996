/**
 * Well-known parameters of content types (WAP-230 table 38). Codes 0x17 to 0x1D repeat earlier ones with a value type of
 * encoding version 1.4; the earlier codes are written, because every client reads them.
 */
export type ParameterType =
  | 'quality'
  | 'charset'
  | 'version'
  | 'integer'
  | 'security'
  | 'media'
  | 'date'
  | 'none'
  | 'text';

const PARAMETERS: readonly (readonly [code: number, name: string, type: ParameterType])[] = [
  [0x00, 'q', 'quality'],
  [0x01, 'charset', 'charset'],
  [0x02, 'level', 'version'],
  [0x03, 'type', 'integer'],
  [0x05, 'name', 'text'],
  [0x06, 'filename', 'text'],
  [0x07, 'differences', 'text'],
  [0x08, 'padding', 'integer'],
  [0x09, 'type', 'media'],
  [0x0a, 'start', 'text'],
  [0x0b, 'start-info', 'text'],
  [0x0c, 'comment', 'text'],
  [0x0d, 'domain', 'text'],
  [0x0e, 'max-age', 'integer'],
  [0x0f, 'path', 'text'],
  [0x10, 'secure', 'none'],
  [0x11, 'sec', 'security'],
  [0x12, 'mac', 'text'],
  [0x13, 'creation-date', 'date'],
  [0x14, 'modification-date', 'date'],
  [0x15, 'read-date', 'date'],
  [0x16, 'size', 'integer'],
  [0x17, 'name', 'text'],
  [0x18, 'filename', 'text'],
  [0x19, 'start', 'text'],
  [0x1a, 'start-info', 'text'],
  [0x1b, 'comment', 'text'],
  [0x1c, 'domain', 'text'],
  [0x1d, 'path', 'text'],
];

const FIRST_CODE_OF_1_4 = 0x17;

export const PARAMETER_BY_TOKEN: ReadonlyMap<
  number,
  { readonly name: string; readonly type: ParameterType }
> = new Map(PARAMETERS.map(([code, name, type]) => [code, { name, type }]));
export const PARAMETER_TOKENS: ReadonlyMap<string, { readonly code: number; readonly type: ParameterType }> =
  new Map(
    PARAMETERS.filter(([code]) => code < FIRST_CODE_OF_1_4).map(([code, name, type]) => [
      name,
      { code, type },
    ]),
  );

/** Values of SEC, by number: how the MAC of a provisioning document was keyed (WAP-183 §5). */
export const SEC_VALUES: readonly string[] = ['NETWPIN', 'USERPIN', 'USERNETWPIN', 'USERPINMAC'];
