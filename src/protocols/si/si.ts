/**
 * Service Indication 1.0 (WAP-167): tells the user that something is there, and where. In XML (`text/vnd.wap.si`) and WBXML
 * (`application/vnd.wap.sic`). Attributes and elements that the document type does not have are ignored when they come in WBXML, as
 * a terminal does; in XML the DTD refuses them. What a terminal does with an indication is not here.
 */
import { DecodeError } from '../../kernel/errors.js';
import {
  documentType,
  elementOf,
  instantAttribute,
  oneOf,
  onlyChild,
  requiredAttribute,
  trimmedText,
} from '../wbxml/index.js';
import { formatTimestamp, type XmlElement } from '../xml/index.js';
import { SI_TABLE } from './si-table.js';

export const SI_ACTIONS = ['signal-none', 'signal-low', 'signal-medium', 'signal-high', 'delete'] as const;
export type SiAction = (typeof SI_ACTIONS)[number];

const DEFAULT_SI_ACTION: SiAction = 'signal-medium';

export interface ServiceIndication {
  readonly href?: string;
  /** Names the indication; where it is absent `href` does (WAP-167). */
  readonly siId?: string;
  /** Instants are milliseconds since the epoch; the formats keep whole seconds. */
  readonly createdAt?: number;
  readonly expiresAt?: number;
  readonly action: SiAction;
  /** What the user is shown. */
  readonly text: string;
  readonly info: readonly SiItem[];
}

export interface SiItem {
  readonly class: string;
  readonly text: string;
}

export const SI = documentType({ grammar: 'si', rootName: 'si', table: SI_TABLE, read, write });

function read(root: XmlElement): ServiceIndication {
  const indication = onlyChild(root, 'indication');
  if (indication === undefined) throw new DecodeError('si without indication', { clause: 'WAP-167' });
  const href = indication.attributes.get('href');
  const siId = indication.attributes.get('si-id');
  const createdAt = instantAttribute(indication, 'created');
  const expiresAt = instantAttribute(indication, 'si-expires');
  const items = onlyChild(root, 'info')?.children ?? [];
  return {
    ...(href === undefined ? {} : { href }),
    ...(siId === undefined ? {} : { siId }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    action: oneOf(indication, 'action', SI_ACTIONS, DEFAULT_SI_ACTION),
    text: trimmedText(indication),
    info: items
      .filter(({ name }) => name === 'item')
      .map((item) => ({ class: requiredAttribute(item, 'class'), text: trimmedText(item) })),
  };
}

/** The default action is left out: an octet saved, and no terminal that reads SI is without it. */
function write(si: ServiceIndication): XmlElement {
  const indication = elementOf(
    'indication',
    {
      href: si.href,
      'si-id': si.siId,
      created: si.createdAt === undefined ? undefined : formatTimestamp(si.createdAt),
      'si-expires': si.expiresAt === undefined ? undefined : formatTimestamp(si.expiresAt),
      action: si.action === DEFAULT_SI_ACTION ? undefined : si.action,
    },
    { text: si.text },
  );
  const items = si.info.map((item) => elementOf('item', { class: item.class }, { text: item.text }));
  const info = items.length === 0 ? [] : [elementOf('info', {}, { children: items })];
  return elementOf('si', {}, { children: [indication, ...info] });
}
