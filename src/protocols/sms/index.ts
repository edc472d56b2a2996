/** Short messages as applications use them: user data headers, parts, alphabets. */
export { DATA_CODING, DEFAULT_ALPHABETS, type DefaultAlphabet, decodeText } from './data-coding.js';
export { decodeGsmText, encodeGsmText } from './gsm-alphabet.js';
export { partCount, type Reference, segment, USER_DATA_OCTETS, WAP_PUSH_PORTS } from './segmentation.js';
export { type TextMessage, textMessage } from './text-parts.js';
export {
  decodeUserData,
  encodeHeader,
  MAX_PARTS,
  type Part,
  type Ports,
  type UserDataHeader,
} from './user-data-header.js';
