/**
 * User agent profiles (WAP-248, OMA UAProf 2.0; CC/PP): what a terminal can do, as RDF in XML. Read are the shapes in which profiles
 * are published and push initiators write them: components as described nodes, as typed nodes, or named by reference within the
 * document; values as text, as property attributes or in a Bag, Seq or Alt; defaults beside the values that override them.
 *
 * It is no RDF engine: nothing is fetched, `parseType` other than `Resource` and properties of other vocabularies are passed over,
 * and entity declarations are refused with the rest of the internal subset. Profile differences (x-wap-profile-diff) are not merged.
 */
import { DecodeError } from '../../kernel/errors.js';
import { KIB } from '../../kernel/units.js';
import { escapeXml, type QualifiedElement, readNamespacedXml, xmlElement } from '../xml/index.js';
import {
  isProfileNamespace,
  RDF_NAMESPACE,
  RDFS_NAMESPACE,
  UAPROF_COMPONENTS,
  UAPROF_NAMESPACE,
  UAPROF_VOCABULARY,
} from './vocabulary-table.js';

/** One value, or the members of a container in their order. */
export type UaProfValue = string | readonly string[];

export interface UaProfile {
  /** Where the whole profile of the terminal is published. Never fetched here. */
  readonly url?: string;
  /** By the name of the vocabulary, `CcppAccept` for instance, whichever component it stood in. */
  readonly attributes: ReadonlyMap<string, UaProfValue>;
}

export interface UaProfLimits {
  readonly maxBytes: number;
  readonly maxElements: number;
  readonly maxProfiles: number;
  readonly maxAttributes: number;
  /** Members of one container, and characters of one value. */
  readonly maxMembers: number;
  readonly maxValueLength: number;
}

export const UAPROF_LIMITS: UaProfLimits = {
  maxBytes: 64 * KIB,
  maxElements: 2000,
  maxProfiles: 64,
  maxAttributes: 256,
  maxMembers: 256,
  maxValueLength: 1024,
};

export interface DecodeUaProfOptions {
  /** The `charset` parameter of the entity's Content-Type. */
  readonly charset?: string;
  readonly limits?: UaProfLimits;
}

/** The profiles of a document, at least one. Throws DecodeError with a detail fit for whoever wrote it. */
export function decodeUaProf(octets: Uint8Array, options: DecodeUaProfOptions = {}): readonly UaProfile[] {
  const { limits = UAPROF_LIMITS, charset } = options;
  const { maxBytes, maxElements } = limits;
  const root = readNamespacedXml(octets, {
    doctypeName: 'rdf:RDF',
    maxBytes,
    maxElements,
    ...(charset === undefined ? {} : { charset }),
  });
  if (!isRdf(root, 'RDF')) throw new DecodeError('the root element is not rdf:RDF', { clause: CLAUSE });
  const nodes = nodesByName(root);
  const described = root.children.filter((node) => node.children.some(isComponentProperty));
  // A document of bare components is one profile: nothing else can be meant by it.
  const profiles =
    described.length > 0
      ? described.map((node) => profileOf(node.children, nodes, limits))
      : [profileOf(root.children.map(asComponent), nodes, limits)];
  if (profiles.length > limits.maxProfiles)
    throw new DecodeError('too many profiles', { code: 'limitExceeded' });
  return profiles;
}

/** A document with one `rdf:Description` for each profile, in order. */
export function encodeUaProf(profiles: readonly UaProfile[]): Uint8Array {
  const described = profiles.map((profile, index) => describe(profile, `Profile-${index + 1}`)).join('');
  const declarations = {
    'xmlns:rdf': RDF_NAMESPACE,
    'xmlns:rdfs': RDFS_NAMESPACE,
    'xmlns:prf': UAPROF_NAMESPACE,
  };
  const text = `<?xml version="1.0"?>\n${xmlElement('rdf:RDF', declarations, described)}\n`;
  return Buffer.from(text, 'utf8');
}

const CLAUSE = 'UAProf §7';

/** Names that can be written back as an element: those of every version of the vocabulary are of this shape. */
const ATTRIBUTE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** True for a name under which an attribute can be kept and written. */
export function isUaProfName(name: string): boolean {
  return ATTRIBUTE_NAME.test(name);
}

type Nodes = ReadonlyMap<string, QualifiedElement>;

/** Nodes of the document by the name under which a reference reaches them (`#name` for rdf:ID, else as written). */
function nodesByName(root: QualifiedElement): Nodes {
  const nodes = new Map<string, QualifiedElement>();
  for (const node of root.children) {
    const [id, about, nodeId] = ['ID', 'about', 'nodeID'].map((name) => rdfAttribute(node, name));
    if (id !== undefined) nodes.set(`#${id}`, node);
    if (about !== undefined) nodes.set(about, node);
    if (nodeId !== undefined) nodes.set(`_:${nodeId}`, node);
  }
  return nodes;
}

class Attributes {
  readonly found = new Map<string, UaProfValue>();
  readonly #limits: UaProfLimits;

  constructor(limits: UaProfLimits) {
    this.#limits = limits;
  }

  /** What comes first stays, so that values are added before the defaults that they override. */
  add(name: string, value: UaProfValue): void {
    const { maxAttributes, maxMembers, maxValueLength } = this.#limits;
    if (!isUaProfName(name) || this.found.has(name)) return;
    const members = typeof value === 'string' ? [value] : value;
    const isOver =
      this.found.size >= maxAttributes ||
      members.length > maxMembers ||
      members.some((member) => member.length > maxValueLength);
    if (isOver) throw new DecodeError(`${name}: too many or too long`, { code: 'limitExceeded' });
    this.found.set(name, value);
  }
}

function profileOf(properties: readonly QualifiedElement[], nodes: Nodes, limits: UaProfLimits): UaProfile {
  const attributes = new Attributes(limits);
  const components = properties.filter(isComponentProperty).map((property) => target(property, nodes));
  for (const component of components) if (component) addValues(component, attributes);
  for (const component of components) {
    for (const property of component?.children ?? []) {
      const defaults = isDefaults(property) ? target(property, nodes) : undefined;
      if (defaults) addValues(defaults, attributes);
    }
  }
  const url = properties
    .filter(({ namespace, local }) => namespace === RDFS_NAMESPACE && local === 'seeAlso')
    .map((property) => rdfAttribute(property, 'resource'))
    .find((resource) => resource !== undefined && resource.length <= limits.maxValueLength);
  return { ...(url === undefined ? {} : { url }), attributes: attributes.found };
}

/** The node that a property points at: nested, referred to, or (`parseType="Resource"`, property attributes) the property itself. */
function target(property: QualifiedElement, nodes: Nodes): QualifiedElement | undefined {
  const resource = rdfAttribute(property, 'resource');
  if (resource !== undefined) return nodes.get(resource);
  const nodeId = rdfAttribute(property, 'nodeID');
  if (nodeId !== undefined) return nodes.get(`_:${nodeId}`);
  if (rdfAttribute(property, 'parseType') === 'Resource') return property;
  return property.children[0] ?? property;
}

function addValues(node: QualifiedElement, attributes: Attributes): void {
  for (const { namespace, local, value } of node.attributes) {
    if (isProfileNamespace(namespace)) attributes.add(local, value.trim());
  }
  for (const property of node.children) {
    if (isProfileNamespace(property.namespace) && !isDefaults(property))
      attributes.add(property.local, readValue(property));
  }
}

function readValue(property: QualifiedElement): UaProfValue {
  const container = property.children.find((child) =>
    ['Bag', 'Seq', 'Alt'].some((kind) => isRdf(child, kind)),
  );
  if (container) return container.children.map(memberOf);
  const { form } = UAPROF_VOCABULARY.get(property.local) ?? {};
  const text = memberOf(property);
  // Published profiles write a single member without its container.
  return form === 'bag' || form === 'seq' ? [text] : text;
}

function memberOf(element: QualifiedElement): string {
  return (rdfAttribute(element, 'resource') ?? element.text).trim();
}

function isRdf({ namespace, local }: QualifiedElement, name: string): boolean {
  return namespace === RDF_NAMESPACE && local === name;
}

function isComponentProperty({ namespace, local }: QualifiedElement): boolean {
  return isProfileNamespace(namespace) && local === 'component';
}

function isDefaults({ namespace, local }: QualifiedElement): boolean {
  return isProfileNamespace(namespace) && /^defaults?$/i.test(local);
}

/** A top-level node in the place where a profile would point at it. */
function asComponent(node: QualifiedElement): QualifiedElement {
  return { namespace: UAPROF_NAMESPACE, local: 'component', attributes: [], children: [node], text: '' };
}

/** Leniency: `ID`, `about` and `resource` without a prefix, as RDF of 1999 allowed and older profiles have it. */
function rdfAttribute(element: QualifiedElement, name: string): string | undefined {
  return element.attributes.find(
    ({ namespace, local }) => local === name && (namespace === RDF_NAMESPACE || namespace === ''),
  )?.value;
}

function describe({ url, attributes }: UaProfile, id: string): string {
  const elsewhere = url === undefined ? '' : xmlElement('rdfs:seeAlso', { 'rdf:resource': url });
  const components = UAPROF_COMPONENTS.map((component) => {
    const own = [...attributes].filter(([name]) => componentOf(name) === component);
    if (own.length === 0) return '';
    const type = xmlElement('rdf:type', { 'rdf:resource': `${UAPROF_NAMESPACE}${component}` });
    const node = { 'rdf:ID': `${id}-${component}` };
    const values = own.map(([name, value]) => property(name, value)).join('');
    return xmlElement('prf:component', {}, xmlElement('rdf:Description', node, type + values));
  });
  return xmlElement('rdf:Description', { 'rdf:ID': id }, elsewhere + components.join(''));
}

/** Attributes that the vocabulary does not place are written where software goes. */
function componentOf(name: string): string {
  return UAPROF_VOCABULARY.get(name)?.component ?? 'SoftwarePlatform';
}

function property(name: string, value: UaProfValue): string {
  if (typeof value === 'string') return xmlElement(`prf:${name}`, {}, escapeXml(value));
  const members = value.map((member) => xmlElement('rdf:li', {}, escapeXml(member))).join('');
  const container = UAPROF_VOCABULARY.get(name)?.form === 'seq' ? 'rdf:Seq' : 'rdf:Bag';
  return xmlElement(`prf:${name}`, {}, xmlElement(container, {}, members));
}
