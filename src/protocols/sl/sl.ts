/**
 * Service Loading 1.0 (WAP-168): has the terminal fetch something and run it, or only keep it. In XML (`text/vnd.wap.sl`) and WBXML
 * (`application/vnd.wap.slc`). Whether a terminal obeys is its owner's and its operator's affair.
 */
import { documentType, elementOf, oneOf, requiredAttribute } from '../wbxml/index.js';
import type { XmlElement } from '../xml/index.js';
import { SL_TABLE } from './sl-table.js';

export const SL_ACTIONS = ['execute-low', 'execute-high', 'cache'] as const;
export type SlAction = (typeof SL_ACTIONS)[number];

const DEFAULT_SL_ACTION: SlAction = 'execute-low';

export interface ServiceLoading {
  readonly href: string;
  readonly action: SlAction;
}

export const SL = documentType({ grammar: 'sl', rootName: 'sl', table: SL_TABLE, read, write });

function read(root: XmlElement): ServiceLoading {
  return {
    href: requiredAttribute(root, 'href'),
    action: oneOf(root, 'action', SL_ACTIONS, DEFAULT_SL_ACTION),
  };
}

function write({ href, action }: ServiceLoading): XmlElement {
  return elementOf('sl', { href, action: action === DEFAULT_SL_ACTION ? undefined : action });
}
