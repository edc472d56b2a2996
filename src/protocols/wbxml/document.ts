/**
 * A WBXML document as a tree (WAP-192 §5.3). Strings, string-table references and entities have become text, tokens have become
 * names; what only a document type can explain (opaque octets, extensions) is kept as it is.
 */

/** The versions that have a charset in their header. */
export const WBXML_VERSIONS = [0x01, 0x02, 0x03] as const;
/** 1.1, 1.2, 1.3 as the header writes them. */
export type WbxmlVersion = (typeof WBXML_VERSIONS)[number];

/** Public identifier of a document that has none, or one that nobody has numbered. */
export const UNKNOWN_PUBLIC_ID = 0x01;

export interface WbxmlDocument {
  readonly version: WbxmlVersion;
  /** The registered number, or the formal public identifier that the string table spells out. */
  readonly publicId: number | string;
  /** IANA MIBenum; 0 when the header leaves it to the transport. */
  readonly charset: number;
  readonly root: WbxmlElement;
}

export interface WbxmlElement {
  readonly kind: 'element';
  readonly name: string;
  readonly attributes: readonly WbxmlAttribute[];
  readonly content: readonly WbxmlNode[];
}

export interface WbxmlAttribute {
  readonly name: string;
  readonly value: readonly WbxmlPiece[];
}

export type WbxmlNode = WbxmlElement | WbxmlPiece;

/** A part of a value or of character data. Two texts never stand side by side in a decoded tree. */
export type WbxmlPiece = WbxmlText | WbxmlOpaque | WbxmlExtension;

export interface WbxmlText {
  readonly kind: 'text';
  readonly text: string;
}

export interface WbxmlOpaque {
  readonly kind: 'opaque';
  readonly octets: Uint8Array;
}

/** An EXT token: number 0 to 2, alone, with an inline string or with an integer (WAP-192 §5.8.4.2). */
export interface WbxmlExtension {
  readonly kind: 'extension';
  readonly number: number;
  readonly value?: string | number;
}
