/**
 * What a document type gives its names and values for tokens: written as rows in a `*-table.ts` file, read by decoder and
 * encoder through the indexes that are made here, once, when the table is loaded.
 */
import { InvariantError } from '../../kernel/errors.js';
import type { WbxmlVersion } from './document.js';
import { FIRST_CODE, FIRST_VALUE_CODE, TAG_CODE } from './global-token-table.js';

/** A tag: code 0x05 to 0x3F of a code page. */
export interface TagToken {
  readonly page: number;
  readonly code: number;
  readonly name: string;
}

/**
 * The start of an attribute: its name alone, with the beginning of its value, or with all of it. The last two decode alike. They
 * are kept apart for encoding: `type=PORT` with more behind it would be legal WBXML that terminals do not expect.
 */
export interface AttributeToken {
  readonly page: number;
  /** 0x05 to 0x7F. */
  readonly code: number;
  readonly name: string;
  readonly prefix?: string;
  readonly whole?: string;
}

/** A part of an attribute value: code 0x85 to 0xFF. */
export interface ValueToken {
  readonly page: number;
  readonly code: number;
  readonly text: string;
}

export interface TokenTableRows {
  /** The registered number of the public identifier. */
  readonly publicId: number;
  readonly formalPublicId: string;
  readonly systemId: string;
  /** The version octet that we write. */
  readonly version: WbxmlVersion;
  readonly tags: readonly TagToken[];
  readonly attributes: readonly AttributeToken[];
  readonly values: readonly ValueToken[];
  /** Where encoding may put a value token: in any place of a value, or only for all of it. Decoding takes both. */
  readonly valuesStand: 'anywhere' | 'alone';
  /** Attributes whose value is an instant, written as opaque octets. */
  readonly instants: readonly string[];
}

export interface TokenTable extends TokenTableRows {
  tagAt(page: number, code: number): TagToken | undefined;
  attributeAt(page: number, code: number): AttributeToken | undefined;
  valueAt(page: number, code: number): ValueToken | undefined;
  /** Every token of that name, in the order of the rows. */
  tagsNamed(name: string): readonly TagToken[];
  attributesNamed(name: string): readonly AttributeToken[];
  valuesOf(text: string): readonly ValueToken[];
  /** Splits a value at the texts that have tokens, which stand at the odd indexes; undefined when there are none. */
  readonly valueTexts: RegExp | undefined;
}

export function tokenTable(rows: TokenTableRows): TokenTable {
  const tags = index(rows.tags, FIRST_CODE, TAG_CODE);
  const attributes = index(rows.attributes, FIRST_CODE, FIRST_VALUE_CODE - 1);
  const values = index(rows.values, FIRST_VALUE_CODE, 0xff);
  const tagsByName = group(rows.tags, ({ name }) => name);
  const attributesByName = group(rows.attributes, ({ name }) => name);
  const valuesByText = group(rows.values, ({ text }) => text);
  return {
    ...rows,
    tagAt: (page, code) => tags.get(key(page, code)),
    attributeAt: (page, code) => attributes.get(key(page, code)),
    valueAt: (page, code) => values.get(key(page, code)),
    tagsNamed: (name) => tagsByName.get(name) ?? [],
    attributesNamed: (name) => attributesByName.get(name) ?? [],
    valuesOf: (text) => valuesByText.get(text) ?? [],
    valueTexts: alternatives(rows.values.map(({ text }) => text)),
  };
}

function key(page: number, code: number): number {
  return page * 256 + code;
}

function index<Token extends { readonly page: number; readonly code: number }>(
  tokens: readonly Token[],
  lowest: number,
  highest: number,
): ReadonlyMap<number, Token> {
  const byCode = new Map<number, Token>();
  for (const token of tokens) {
    const { page, code } = token;
    const isGlobal = (code & TAG_CODE) < FIRST_CODE;
    if (isGlobal || code < lowest || code > highest || byCode.has(key(page, code))) {
      throw new InvariantError(`token ${code} of page ${page} is out of its range or given twice`);
    }
    byCode.set(key(page, code), token);
  }
  return byCode;
}

function group<Token>(tokens: readonly Token[], nameOf: (token: Token) => string): Map<string, Token[]> {
  const groups = new Map<string, Token[]>();
  for (const token of tokens) {
    const tokensOfName = groups.get(nameOf(token));
    if (tokensOfName === undefined) groups.set(nameOf(token), [token]);
    else tokensOfName.push(token);
  }
  return groups;
}

/** Longer texts first, so that the longest one that fits is found. */
function alternatives(texts: readonly string[]): RegExp | undefined {
  if (texts.length === 0) return undefined;
  const longestFirst = texts.toSorted((one, other) => other.length - one.length);
  return new RegExp(`(${longestFirst.map((text) => text.replace(/[^A-Za-z0-9]/g, '\\$&')).join('|')})`);
}
