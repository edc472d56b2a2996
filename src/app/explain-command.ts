/** Carries out `carillon explain`: asks the admin API, and puts the answer into words. */
import { loadConfig } from '../config/load-config.js';
import { DeliveryError, describeError } from '../kernel/errors.js';
import { SECOND_MS } from '../kernel/units.js';
import { adminToken } from './admin-token.js';
import { EXIT } from './cli.js';
import { type ExplanationAnswer, explanationText, type PushAnswer } from './explanation-text.js';

export interface ExplainCommandOptions {
  readonly user: string;
  readonly application?: string;
  readonly contentType?: string;
  readonly device?: string;
  readonly isForAll: boolean;
  readonly pushId?: string;
  readonly initiator?: string;
  readonly configFile?: string;
  /** The admin listener. Absent: that of the configuration. */
  readonly url?: string;
  readonly json: boolean;
}

export type Print = (line: string) => void;

const TIMEOUT_MS = 10 * SECOND_MS;

/** Resolves with the exit status. Rejects with DeliveryError when there is no answer. */
export async function explain(
  options: ExplainCommandOptions,
  print: Print = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  const { config } = loadConfig(options.configFile === undefined ? {} : { file: options.configFile });
  const { token } = await adminToken(config);
  const { host, port } = config.admin;
  const named = host.includes(':') ? `[${host}]` : host;
  const ask = { url: options.url ?? `http://${named}:${port}`, token };

  const { pushId, initiator } = options;
  const of = initiator === undefined ? '' : `?initiator=${encodeURIComponent(initiator)}`;
  const story =
    pushId === undefined
      ? undefined
      : ((await get(ask, `/pushes/${encodeURIComponent(pushId)}${of}`)) as PushAnswer);
  const path = `/users/${encodeURIComponent(options.user)}/explanation?${parametersOf(options)}`;
  const explanation = (await get(ask, path)) as ExplanationAnswer;
  if (options.json) print(JSON.stringify(story === undefined ? explanation : { explanation, push: story }));
  else for (const line of explanationText(explanation, story)) print(line);
  return EXIT.ok;
}

function parametersOf(options: ExplainCommandOptions): URLSearchParams {
  const { application, contentType, device, pushId, initiator, isForAll } = options;
  const given = { application, contentType, device, pushId, initiator, scope: isForAll ? 'all' : undefined };
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) parameters.set(name, value);
  return parameters;
}

async function get({ url, token }: { url: string; token: string }, path: string): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(`${url.replace(/\/$/, '')}/admin/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    const why = describeError((cause as Error).cause ?? cause);
    throw new DeliveryError('unreachable', `no gateway answers at ${url}: ${why}`, { cause });
  }
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return body;
  const { detail, title } = (body ?? {}) as { detail?: string; title?: string };
  const told = detail ?? title ?? `HTTP ${answer.status}`;
  const hint = answer.status === 401 ? ' (is this the configuration of that gateway?)' : '';
  throw new DeliveryError('unreachable', `the gateway refused: ${told}${hint}`, { retry: 'never' });
}
