/** The tokens that mean the same in every document type and code page (WAP-192 §7.1). */
export const GLOBAL = {
  SWITCH_PAGE: 0x00,
  END: 0x01,
  ENTITY: 0x02,
  STR_I: 0x03,
  LITERAL: 0x04,
  EXT_I_0: 0x40,
  PI: 0x43,
  EXT_T_0: 0x80,
  STR_T: 0x83,
  EXT_0: 0xc0,
  OPAQUE: 0xc3,
} as const;

/** Bits of a tag token. */
export const HAS_ATTRIBUTES = 0x80;
export const HAS_CONTENT = 0x40;
/** What is left of a tag token is its code; codes below this one are global tokens. */
export const TAG_CODE = 0x3f;
export const FIRST_CODE = 0x05;
/** Attribute space: codes below start an attribute, codes from here on are parts of a value. */
export const FIRST_VALUE_CODE = 0x80;
