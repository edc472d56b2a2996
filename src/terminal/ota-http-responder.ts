/**
 * A terminal's side of OTA-HTTP, without the connection: answers pushes and registrations (WAP-235; SIR-82). What becomes of a push is for
 * whoever runs the terminal; its status says it. A push whose sender takes the terminal for another one is not taken (256).
 */
import { createHash } from 'node:crypto';
import { DecodeError } from '../kernel/errors.js';
import { type HeaderField, headerValue } from '../protocols/mime/index.js';
import {
  CPI_TAG_OCTETS,
  decodePushRequest,
  equalCpiTags,
  formatCpiTag,
  type PushRequest,
  pushResponseHeaders,
  WAP_PUSH_TARGET,
} from '../protocols/ota-http/index.js';

export interface OtaResponderOptions {
  /** `X-Wap-Terminal-Id`: a GRUU, or the id by which the gateway knows the terminal. */
  readonly terminalId?: string;
  /** Capabilities as header fields: `X-Wap-Push-Accept`, `X-Wap-Push-MsgSize` and so on. */
  readonly capabilities?: readonly HeaderField[];
  /** How the tag of the capabilities is written. Default Base64; `none`: the terminal has no tag. */
  readonly tagForm?: 'base64' | 'hex' | 'none';
  /** Takes a push, repetitions too, and resolves with its `X-Wap-Push-Status`, alone or with more; 400 once it is safe. */
  readonly take: (push: PushRequest) => Promise<number | OtaPushAnswer>;
}

/** What a terminal says to a push. */
export interface OtaPushAnswer {
  /** `X-Wap-Push-Status`. */
  readonly status: number;
  /** Why, in words: `X-Push-Reason`, which is ours. */
  readonly reason?: string;
  /** `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

export interface OtaRequestReceived {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
  readonly body: Uint8Array;
}

export interface OtaResponse {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}

const REFUSED_FOR_GOOD = 235;
const PENDING = 236;
const TAG_MISMATCH = 256;
const TAG_MATCHED = 500;
const TAG_NOT_MATCHED = 501;

export class OtaResponder {
  readonly #options: OtaResponderOptions;
  #capabilities: readonly HeaderField[];

  constructor(options: OtaResponderOptions) {
    this.#options = options;
    this.#capabilities = options.capabilities ?? [];
  }

  /** The terminal takes something else from now on: its tag changes with it. */
  set capabilities(capabilities: readonly HeaderField[]) {
    this.#capabilities = capabilities;
  }

  /** The mark of what it takes now; undefined for a terminal that has none. */
  get cpiTag(): string | undefined {
    const { tagForm = 'base64' } = this.#options;
    if (tagForm === 'none') return undefined;
    const text = this.#capabilities.map(({ name, value }) => `${name.toLowerCase()}:${value}`).join('\n');
    const octets = createHash('sha1').update(text).digest().subarray(0, CPI_TAG_OCTETS);
    return formatCpiTag(octets, tagForm);
  }

  /** Never rejects. `more`: header fields for the answer to a registration. */
  async answer(request: OtaRequestReceived, more: readonly HeaderField[] = []): Promise<OtaResponse> {
    const [path] = request.target.replace(/^https?:\/\/[^/]*/i, '').split('?', 1);
    if (path !== WAP_PUSH_TARGET) return { status: 404, headers: [] };
    if (request.method === 'OPTIONS') return this.#register(request, more);
    if (request.method === 'POST') return this.#take(request);
    return { status: 405, headers: [{ name: 'Allow', value: 'POST, OPTIONS' }] };
  }

  #register({ headers }: OtaRequestReceived, more: readonly HeaderField[]): OtaResponse {
    const { cpiTag } = this;
    const { terminalId } = this.#options;
    const isKnown = this.#isKnownBy(headers);
    return {
      status: 204,
      headers: [
        ...pushResponseHeaders(isKnown ? TAG_MATCHED : TAG_NOT_MATCHED, cpiTag),
        { name: 'X-Wap-Push-OTA-Version', value: '1.0' },
        ...(terminalId === undefined ? [] : [{ name: 'X-Wap-Terminal-Id', value: terminalId }]),
        ...(isKnown ? [] : this.#capabilities),
        ...more,
      ],
    };
  }

  async #take({ headers, body }: OtaRequestReceived): Promise<OtaResponse> {
    const { cpiTag } = this;
    const answered = (answer: number | OtaPushAnswer) => {
      const { status, ...more } = typeof answer === 'number' ? { status: answer } : answer;
      return { status: 204, headers: [...pushResponseHeaders(status, cpiTag), ...reasonHeaders(more)] };
    };
    if (headerValue(headers, 'x-wap-cpitag') !== undefined && !this.#isKnownBy(headers))
      return answered(TAG_MISMATCH);
    let push: PushRequest;
    try {
      push = decodePushRequest({ headers, body });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return answered(REFUSED_FOR_GOOD);
    }
    // What failed here may go well another time.
    return answered(await this.#options.take(push).catch(() => PENDING));
  }

  #isKnownBy(headers: readonly HeaderField[]): boolean {
    const given = headerValue(headers, 'x-wap-cpitag');
    return given !== undefined && this.cpiTag !== undefined && equalCpiTags(given, this.cpiTag);
  }
}

function reasonHeaders({ reason, retryAfterSeconds }: Omit<OtaPushAnswer, 'status'>): readonly HeaderField[] {
  return [
    ...(reason === undefined ? [] : [{ name: 'X-Push-Reason', value: reason }]),
    ...(retryAfterSeconds === undefined ? [] : [{ name: 'Retry-After', value: String(retryAfterSeconds) }]),
  ];
}
