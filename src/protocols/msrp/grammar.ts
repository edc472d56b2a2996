/**
 * Lexical rules shared by the MSRP encoder and decoder (RFC 4975 §9), and the byte strings that both work on: a byte
 * string holds one octet per character, so that header text of any charset passes through unharmed and cheaply.
 */
import { RefusedError } from '../../kernel/errors.js';

/** `ident`: 4 to 32 characters. Transaction ids and the Message-IDs that we make. */
const IDENT = /^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/;
/** Visible ASCII. Clients put UUIDs (36 characters) and mail-style ids into Message-ID, so that is what we accept there. */
const LENIENT_MESSAGE_ID = /^[!-~]{1,256}$/;
/** Anything that can stand between two spaces; uri.ts reads what it means. */
const PATH_URI = /^[!-~]+$/;
const METHOD = /^[A-Z]{1,32}$/;
const HEADER_NAME = /^[A-Za-z][!#-'*+\-.0-9A-Z^-~]*$/;
/** Anything that would end a line or is not text. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const NON_ASCII = /[^\x00-\x7f]/;

export const isIdent = (text: string): boolean => IDENT.test(text);
export const isMessageId = (text: string): boolean => LENIENT_MESSAGE_ID.test(text);
export const isPathUri = (text: string): boolean => PATH_URI.test(text);
export const isMethod = (text: string): boolean => METHOD.test(text);
export const isHeaderName = (text: string): boolean => HEADER_NAME.test(text);

/** `text` as a byte string of its UTF-8 form, fit to stand in a header line. Throws RefusedError on control characters. */
export function headerText(text: string, what: string): string {
  if (CONTROL.test(text)) throw new RefusedError('malformed', `control character in ${what}`);
  return NON_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text that a byte string of UTF-8 stands for. */
export function textOf(byteString: string): string {
  return NON_ASCII.test(byteString) ? Buffer.from(byteString, 'latin1').toString('utf8') : byteString;
}
