/**
 * The prologue of a PAP document: the external identifier, and the `wap-pap-ver` instruction by which initiators say which
 * versions they know, most of them in the internal subset (PAP §7).
 */
import { readPrologue as readXmlPrologue } from '../xml/index.js';

export interface Prologue {
  readonly publicId?: string;
  readonly systemId?: string;
  readonly supportedVersions?: readonly string[];
  /** Index of the `<` of the root element. */
  readonly rootIndex: number;
}

const MAX_SUPPORTED_VERSIONS = 32;

/** Reads the prologue of a document text. Throws DecodeError whose offset counts characters. */
export function readPrologue(text: string): Prologue {
  const { instructions, ...prologue } = readXmlPrologue(text, 'pap');
  const lists = instructions.map(supportedVersions);
  const supported = lists.findLast((list) => list.length > 0);
  return { ...prologue, ...(supported === undefined ? {} : { supportedVersions: supported }) };
}

function supportedVersions(instruction: string): readonly string[] {
  if (!/^wap-pap-ver\s/.test(instruction)) return [];
  const list = /\ssupported-versions\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(instruction);
  const versions = (list?.[1] ?? list?.[2] ?? '').split(',', MAX_SUPPORTED_VERSIONS);
  return versions.map((version) => version.trim()).filter((version) => version !== '');
}
