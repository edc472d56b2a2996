/**
 * Cache Operation 1.0 (WAP-175): tells the terminal which cached objects are no longer good. In XML (`text/vnd.wap.co`) and WBXML
 * (`application/vnd.wap.coc`).
 */
import { DecodeError } from '../../kernel/errors.js';
import { documentType, elementOf, requiredAttribute } from '../wbxml/index.js';
import type { XmlElement } from '../xml/index.js';
import { CO_TABLE } from './co-table.js';

export interface CacheOperation {
  /** At least one, in order. */
  readonly invalidations: readonly Invalidation[];
}

export interface Invalidation {
  /** One object, or everything whose URI begins so. */
  readonly kind: 'object' | 'service';
  readonly uri: string;
}

export const CO = documentType({ grammar: 'co', rootName: 'co', table: CO_TABLE, read, write });

function read(root: XmlElement): CacheOperation {
  const invalidations = root.children.flatMap((child): Invalidation[] => {
    if (child.name === 'invalidate-object') return [{ kind: 'object', uri: requiredAttribute(child, 'uri') }];
    if (child.name === 'invalidate-service')
      return [{ kind: 'service', uri: requiredAttribute(child, 'uri') }];
    return [];
  });
  if (invalidations.length === 0) throw new DecodeError('co without an operation', { clause: 'WAP-175' });
  return { invalidations };
}

function write({ invalidations }: CacheOperation): XmlElement {
  const children = invalidations.map(({ kind, uri }) => elementOf(`invalidate-${kind}`, { uri }));
  return elementOf('co', {}, { children });
}
