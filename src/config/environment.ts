/**
 * Environment variables as configuration: `CARILLON_SECTION_KEY` for every key, `REDIS_URL` for `redis.url`.
 * An empty variable counts as not set. A `CARILLON_…` variable that names no key is refused, except the ones that
 * container platforms add by themselves for a service named "carillon" (`CARILLON_PORT=tcp://10.0.0.1:8080` …).
 */

import { type ConfigKey, configKeys, type SchemaNode } from './config-keys.js';
import { nearest } from './nearest.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentValue {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly variable: string;
}

/** Names the configuration file; not a key itself. */
export const CONFIG_FILE_VARIABLE = 'CARILLON_CONFIG';

/** Docker links and Kubernetes service links: made by the platform, meant for nobody here. */
const SERVICE_LINK_NAME =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?|ENV_\w+)$/;
const SERVICE_LINK_VALUE = /^(?:tcp|udp|sctp):\/\//;

/** The values that the environment sets, and one sentence for each variable that names no key. */
export function environmentValues(environment: Environment): {
  readonly values: readonly EnvironmentValue[];
  readonly problems: readonly string[];
} {
  const keys = new Map<string, ConfigKey>();
  for (const key of configKeys()) {
    if (key.environmentVariable !== undefined) keys.set(key.environmentVariable, key);
  }
  const values: EnvironmentValue[] = [];
  const problems: string[] = [];
  const redisUrl = environment['REDIS_URL'];
  if (redisUrl) values.push({ path: ['redis', 'url'], value: redisUrl, variable: 'REDIS_URL' });
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('CARILLON_') || !text || variable === CONFIG_FILE_VARIABLE) continue;
    if (isServiceLink(variable, text)) continue;
    const key = keys.get(variable);
    if (key === undefined) {
      problems.push(
        `${variable} (environment) names no configuration key${nearest(variable, keys.keys()) || '.'}`,
      );
      continue;
    }
    values.push({ path: key.path.split('.'), value: typedValue(text, key.schema), variable });
  }
  return { values, problems };
}

function isServiceLink(variable: string, text: string): boolean {
  if (SERVICE_LINK_NAME.test(variable)) return true;
  return variable.endsWith('_PORT') && SERVICE_LINK_VALUE.test(text);
}

/** Text as the type that the key takes; left as text when it does not look like it, for the schema to refuse. */
function typedValue(text: string, schema: SchemaNode): unknown {
  switch (schema.type) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
    case 'number':
      return /^\d{1,15}(?:\.\d{1,15})?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return listOf(text, schema.items);
    default:
      return text;
  }
}

/** A JSON array, or for lists of plain values also `udp,tcp`. */
function listOf(text: string, items: SchemaNode | undefined): unknown {
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  if (items === undefined || items.type === 'object') return text;
  return text.split(',').map((item) => typedValue(item.trim(), items));
}
