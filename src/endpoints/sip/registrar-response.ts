/**
 * The 200 to a REGISTER (RFC 3261 §10.3 step 8): every live contact with its remaining time, byte-exact instance and GRUUs,
 * the path when the client understands it, Date, and what RFC 5626 adds.
 */
import { quote, type SipHeader } from '../../protocols/sip/index.js';
import type { Binding } from '../../registry/binding.js';
import { type PushServices, pushFeatureCaps } from './registrar-push.js';
import type { RegisterRequest } from './registrar-request.js';

export function registerHeaders(
  request: RegisterRequest,
  bindings: readonly Binding[],
  options: {
    readonly now: number;
    readonly flowTimerSeconds: number;
    readonly pushServices: PushServices;
  },
): readonly SipHeader[] {
  const { contacts, path, supportsPath, supportsGruu, supportsOutbound } = request;
  const hasFlow =
    contacts !== '*' && contacts.some(({ regId, expires }) => regId !== undefined && expires > 0);
  const isOutbound = hasFlow && supportsOutbound;
  return [
    ...bindings.map((binding) => ({
      name: 'Contact',
      value: contactValue(binding, options.now, supportsGruu),
    })),
    { name: 'Date', value: new Date(options.now).toUTCString() },
    { name: 'Supported', value: 'path, gruu, outbound' },
    // [RFC 5626 §6] tells the client that the registrar did outbound, and how soon it must send keep-alives.
    ...(isOutbound
      ? [
          { name: 'Require', value: 'outbound' },
          { name: 'Flow-Timer', value: String(options.flowTimerSeconds) },
        ]
      : []),
    ...pushFeatureCaps(request, options.pushServices),
    // [RFC 3327 §5.3] echoed only to a client that knows what it means.
    ...(supportsPath ? path.map((value) => ({ name: 'Path', value })) : []),
  ];
}

function contactValue(binding: Binding, now: number, withGruus: boolean): string {
  const { instance, regId, q, publicGruu, temporaryGruu } = binding;
  const parts = [
    `<${binding.contact}>`,
    `expires=${Math.max(1, Math.ceil((binding.expiresAt - now) / 1000))}`,
  ];
  if (q !== undefined) parts.push(`q=${q}`);
  if (instance !== undefined) parts.push(`+sip.instance=${quote(`<${instance}>`)}`);
  if (regId !== undefined) parts.push(`reg-id=${regId}`);
  if (withGruus && publicGruu !== undefined) parts.push(`pub-gruu=${quote(publicGruu)}`);
  if (withGruus && temporaryGruu !== undefined) parts.push(`temp-gruu=${quote(temporaryGruu)}`);
  return parts.join(';');
}
