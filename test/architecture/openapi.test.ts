/** Holds `openapi.yaml` to the routes in both directions, to the code's own lists, and to itself. */
import { describe, expect, it } from 'vitest';
import { adminRoutes } from '../../src/endpoints/admin/admin-routes.js';
import type { AdminPorts } from '../../src/endpoints/admin/ports.js';
import type { PushApiLimits, PushApiPorts } from '../../src/endpoints/push-api/ports.js';
import { pushApiRoutes } from '../../src/endpoints/push-api/push-api.js';
import { PUSH_ORDER_LIMITS } from '../../src/endpoints/push-api/push-order.js';
import { type ReturnsApiPorts, returnsRoutes } from '../../src/endpoints/returns/returns-api.js';
import { LANE } from '../../src/lane/lane.js';
import {
  DELIVERY_METHODS,
  MESSAGE_STATES,
  PRIORITIES,
  REPLACE_METHODS,
} from '../../src/protocols/pap/index.js';
import { RETURN_FLAGS, SEND_FLAGS } from '../../src/protocols/sia/index.js';
import { DELIVERY, RESULT } from '../../src/push/journey.js';
import { BEARER_NAMES } from '../../src/registry/bearer-name.js';
import { DEVICE_IDENTITY_KINDS } from '../../src/registry/device-identity.js';
import { AUTHENTICATION_METHODS, INITIATOR_ORIGINS } from '../../src/registry/initiator.js';
import { INITIATOR_MAXIMA } from '../../src/registry/initiator-validation.js';
import { PROVISIONING_LIMITS } from '../../src/registry/provisioning-schema.js';
import {
  IDENTITY_PLACES,
  SIR_MODES,
  TARGET_POLICIES,
  targetingRuleSchema,
} from '../../src/registry/targeting-rule.js';
import { resolveReference, type Schema, schemaErrors } from '../support/json-schema.js';
import { type Described, OPENAPI, OPERATIONS, resolved } from '../support/openapi.js';

/** Every object in the document, with the path to it. */
function* parts(value: unknown, path = '#'): Generator<{ path: string; part: Record<string, unknown> }> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield { path, part: value as Record<string, unknown> };
  for (const [key, child] of Object.entries(value)) {
    if (key !== 'example') yield* parts(child, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

/** How a push initiator may prove who it is, as security schemes. */
const INITIATOR_CREDENTIALS = ['initiatorPassword', 'initiatorToken', 'initiatorCertificate'];

const schema = (name: string) => resolveReference(OPENAPI, `#/components/schemas/${name}`) as Schema;
const at = (path: string) => resolveReference(OPENAPI, path);

describe('the description of the HTTP APIs', () => {
  const routers = [
    adminRoutes({} as AdminPorts),
    pushApiRoutes({} as PushApiPorts, {} as PushApiLimits),
    returnsRoutes({} as ReturnsApiPorts),
  ];
  const routes = routers.flatMap(({ stack }) =>
    stack.flatMap((layer) =>
      layer.methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method} ${String(layer.path).replace(/:(\w+)/g, '{$1}')}`),
    ),
  );
  const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);

  it('is OpenAPI 3.1', () => {
    expect(OPENAPI['openapi']).toBe('3.1.0');
  });

  it('has every route, and every operation of it is a route', () => {
    expect([...described].sort()).toEqual([...routes].sort());
  });

  it('names every operation once', () => {
    const ids = OPERATIONS.map(({ operation }) => operation.operationId);
    expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has only references that lead somewhere', () => {
    const references = [...parts(OPENAPI)].flatMap(({ part }) =>
      typeof part['$ref'] === 'string' ? [part['$ref']] : [],
    );
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) expect(() => resolveReference(OPENAPI, reference)).not.toThrow();
  });

  it('has no component that nothing refers to', () => {
    const text = JSON.stringify(OPENAPI);
    const components = OPENAPI['components'] as Record<string, Record<string, unknown>>;
    const unused = Object.entries(components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, named]) => Object.keys(named).map((name) => `#/components/${kind}/${name}`))
      .filter((reference) => !text.includes(`"${reference}"`));
    expect(unused).toEqual([]);
  });

  it.each(OPERATIONS.map((described) => [described.operation.operationId, described] as const))(
    '%s declares the parameters that its path names, and no others in the path',
    (_, { path, parameters }) => {
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`).sort()).toEqual((path.match(/\{\w+\}/g) ?? []).sort());
      expect(inPath.every(({ required }) => required === true)).toBe(true);
    },
  );

  it.each(OPERATIONS.map((described) => [described.operation.operationId, described] as const))(
    '%s says which credentials it needs, and how it can fail',
    (_, { path, operation }) => {
      const isOfInitiators = path.startsWith('/v1/pushes');
      const needsCredentials = path.startsWith('/admin/') || isOfInitiators;
      const open = isOfInitiators ? INITIATOR_CREDENTIALS.map((scheme) => ({ [scheme]: [] })) : [];
      expect(operation.security).toEqual(path.startsWith('/admin/') ? undefined : open);
      const mayBreak = path === '/v1/returns' ? ['500', '503'] : [];
      const failures = Object.keys(operation.responses).filter((status) => /^(401|5\d\d)$/.test(status));
      const expected = path === '/health/ready' ? ['503'] : mayBreak;
      expect(failures.sort()).toEqual(needsCredentials ? ['401', '500', '503'] : expected);
    },
  );

  it.each(OPERATIONS.map((described) => [described.operation.operationId, described] as const))(
    '%s has a tag that is declared, a summary and a described success',
    (_, { operation }) => {
      const tags = (OPENAPI['tags'] as { name: string }[]).map(({ name }) => name);
      expect(operation.tags.every((tag) => tags.includes(tag))).toBe(true);
      expect(operation.summary.length).toBeGreaterThan(5);
      const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
      expect(successes.length).toBeGreaterThan(0);
      for (const [, response] of Object.entries(operation.responses)) {
        expect(resolved<Described>(response).description).toBeTruthy();
      }
    },
  );

  it('gives examples that fit their schemas', () => {
    const wrong = [...parts(OPENAPI)].flatMap(({ path, part }) => {
      const holder = 'schema' in part ? (part['schema'] as Schema) : undefined;
      if (!('example' in part) || holder === undefined) return [];
      return schemaErrors(OPENAPI, holder, part['example'], path);
    });
    expect(wrong).toEqual([]);
  });

  it('uses no keyword of JSON Schema that the tests cannot check', () => {
    for (const { part, path } of parts((OPENAPI['components'] as Record<string, unknown>)['schemas'])) {
      if (/\/properties$/.test(path) || path === '#') continue;
      expect(() => schemaErrors(OPENAPI, part, undefined, path)).not.toThrow();
    }
  });

  it('has the same lists of names as the code', () => {
    const names = (path: string) => (at(`${path}/enum`) as string[]).slice().sort();
    const sorted = (list: readonly string[]) => [...list].sort();
    const schemas = '#/components/schemas';
    expect(names(`${schemas}/ActivationMethod/properties/bearer`)).toEqual(sorted(BEARER_NAMES));
    expect(names(`${schemas}/DeviceIdentity/properties/kind`)).toEqual(sorted(DEVICE_IDENTITY_KINDS));
    expect(names(`${schemas}/Policy/properties/target`)).toEqual(sorted(TARGET_POLICIES));
    const rule = `${schemas}/TargetingRule/properties`;
    expect(names(`${rule}/target`)).toEqual(sorted(TARGET_POLICIES));
    expect(names(`${rule}/bearers/items`)).toEqual(sorted(BEARER_NAMES));
    expect(names(`${rule}/mode`)).toEqual(sorted(SIR_MODES));
    expect(names(`${rule}/identityIn/items`)).toEqual(sorted(IDENTITY_PLACES));
    expect(names(`${rule}/return/items`)).toEqual(sorted(RETURN_FLAGS));
    expect(names('#/components/schemas/SirReturn/properties/kind')).toEqual(sorted(RETURN_FLAGS));
    const sirModes = SIR_MODES.filter((mode) => mode !== 'delegated');
    expect(names('#/components/schemas/Wake/properties/mode')).toEqual(sorted(sirModes));
    expect(names(`${rule}/send/items`)).toEqual(sorted(SEND_FLAGS));
    expect(Object.keys(at(rule) as object).sort()).toEqual(sorted(Object.keys(targetingRuleSchema.shape)));
    expect(names(`${schemas}/PushInitiatorOrigin`)).toEqual(sorted(INITIATOR_ORIGINS));
    expect(names(`${schemas}/MessageState`)).toEqual(sorted(MESSAGE_STATES));
    expect(names(`${schemas}/LaneState`)).toEqual(sorted(Object.keys(LANE)));
    expect(names(`${schemas}/Delivery/properties/state`)).toEqual(sorted(Object.keys(DELIVERY)));
    expect(names(`${schemas}/Recipient/properties/result/properties/state`)).toEqual(
      sorted(Object.keys(RESULT)),
    );
    expect(names(`${schemas}/QualityOfService/properties/priority`)).toEqual(sorted(PRIORITIES));
    expect(names(`${schemas}/QualityOfService/properties/deliveryMethod`)).toEqual(sorted(DELIVERY_METHODS));
    expect(names(`${schemas}/PushOrder/properties/priority`)).toEqual(sorted(PRIORITIES));
    expect(names(`${schemas}/PushOrder/properties/deliveryMethod`)).toEqual(sorted(DELIVERY_METHODS));
    const replace = `${schemas}/PushOrder/properties/replace/properties/method`;
    expect(names(replace)).toEqual(sorted(REPLACE_METHODS));
  });

  it('has every way in which a push initiator proves who it is as a security scheme', () => {
    const schemes = Object.keys(at('#/components/securitySchemes') as object);
    expect(INITIATOR_CREDENTIALS.every((scheme) => schemes.includes(scheme))).toBe(true);
    expect(INITIATOR_CREDENTIALS).toHaveLength(AUTHENTICATION_METHODS.length);
  });

  it('leads to the public listener for what push initiators and terminals use', () => {
    const paths = OPENAPI['paths'] as Record<string, { servers?: { url: string }[] }>;
    const elsewhere = Object.entries(paths).filter(([, { servers }]) => servers !== undefined);
    expect(elsewhere.map(([path]) => path)).toEqual(['/v1/returns', '/v1/pushes', '/v1/pushes/{pushId}']);
    expect(new Set(elsewhere.flatMap(([, { servers }]) => servers?.map(({ url }) => url)))).toEqual(
      new Set(['http://127.0.0.1:8080']),
    );
  });

  it('states the limits that are in force', () => {
    const max = (name: string, property: string) =>
      (schema(name)['properties'] as Record<string, Schema>)[property]?.['maxItems'];
    expect(max('UserAttributes', 'aliases')).toBe(PROVISIONING_LIMITS.maxAliases);
    expect(max('TerminalAttributes', 'identities')).toBe(PROVISIONING_LIMITS.maxIdentities);
    expect(max('TerminalAttributes', 'activation')).toBe(PROVISIONING_LIMITS.maxActivationMethods);
    expect(max('TerminalAttributes', 'subscriptions')).toBe(PROVISIONING_LIMITS.maxSubscriptions);
    expect(schema('NewPushId')['maxLength']).toBe(PUSH_ORDER_LIMITS.maxPushIdLength);
    expect(max('InitiatorRights', 'addresses')).toBe(INITIATOR_MAXIMA.patterns);
    expect(max('InitiatorRights', 'applicationIds')).toBe(INITIATOR_MAXIMA.patterns);
    expect(schema('SourceNetworks')['maxItems']).toBe(INITIATOR_MAXIMA.sourceNetworks);
  });

  it('states the limits of push initiators that are in force', () => {
    const properties = schema('InitiatorLimits')['properties'] as Record<string, Schema>;
    const { patterns: _, certificates: __, sourceNetworks: ___, ...maxima } = INITIATOR_MAXIMA;
    const stated = Object.entries(properties).flatMap(([name, { maximum }]) =>
      maximum === undefined ? [] : [[name, maximum]],
    );
    expect(Object.fromEntries(stated)).toEqual(maxima);
  });
});
