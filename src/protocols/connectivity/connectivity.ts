/**
 * OMA Client Provisioning documents (OMA-WAP-TS-ProvCont-V1_1): settings of a terminal as a tree of characteristics and parameters.
 * In XML (`text/vnd.wap.connectivity-xml`) and WBXML (`application/vnd.wap.connectivity-wbxml`). What the settings mean is not here,
 * nor is the MAC that a terminal wants beside them (OMA-WAP-TS-ProvBoot): it is computed over the WBXML octets and travels in the
 * content type.
 */
import { DecodeError } from '../../kernel/errors.js';
import { documentType, elementOf, requiredAttribute } from '../wbxml/index.js';
import type { XmlElement } from '../xml/index.js';
import { CONNECTIVITY_TABLE } from './connectivity-table.js';

export interface ProvisioningDocument {
  /** As written; `1.0` and `1.1` are in use. */
  readonly version?: string;
  readonly characteristics: readonly Characteristic[];
}

/** Parameters come before nested characteristics, which is how the specification lists them; their order has no meaning. */
export interface Characteristic {
  readonly type: string;
  readonly parameters: readonly Parameter[];
  readonly characteristics: readonly Characteristic[];
}

export interface Parameter {
  readonly name: string;
  /** Absent where the name says it all, as with `INTERNET`. */
  readonly value?: string;
}

export const CONNECTIVITY = documentType({
  grammar: 'connectivity',
  rootName: 'wap-provisioningdoc',
  table: CONNECTIVITY_TABLE,
  read,
  write,
});

function read(root: XmlElement): ProvisioningDocument {
  const version = root.attributes.get('version');
  const characteristics = characteristicsOf(root);
  if (characteristics.length === 0)
    throw new DecodeError('no characteristic', { clause: 'OMA-WAP-TS-ProvCont-V1_1' });
  return { ...(version === undefined ? {} : { version }), characteristics };
}

function characteristicsOf(element: XmlElement): Characteristic[] {
  return element.children
    .filter(({ name }) => name === 'characteristic')
    .map((child) => ({
      type: requiredAttribute(child, 'type'),
      parameters: child.children.filter(({ name }) => name === 'parm').map(parameterOf),
      characteristics: characteristicsOf(child),
    }));
}

function parameterOf(element: XmlElement): Parameter {
  const value = element.attributes.get('value');
  return { name: requiredAttribute(element, 'name'), ...(value === undefined ? {} : { value }) };
}

function write({ version, characteristics }: ProvisioningDocument): XmlElement {
  return elementOf(
    'wap-provisioningdoc',
    { version },
    { children: characteristics.map(characteristicElement) },
  );
}

function characteristicElement({ type, parameters, characteristics }: Characteristic): XmlElement {
  const parms = parameters.map(({ name, value }) => elementOf('parm', { name, value }));
  return elementOf(
    'characteristic',
    { type },
    { children: [...parms, ...characteristics.map(characteristicElement)] },
  );
}
