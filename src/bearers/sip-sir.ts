/**
 * A SIR as a SIP MESSAGE (SIR-83, SIR-67 … SIR-70, C-5, C-6). Where the device identity stands follows the plan of the SIR: in the To
 * header field as `gr` (Table 1), as a value (`X-Push-Device-Identity`, and for a proxy that is to pick the device `+sip.instance` of
 * Accept-Contact), in the body (Table 2). A SIR to all terminals names the device in no place that would route (SIR-80).
 */
import { encodeSia } from '../protocols/sia/index.js';
import type { SipHeader } from '../protocols/sip/index.js';
import type { Sir } from '../push/sir.js';
import { instanceUrn } from '../push/sir-plan.js';
import type { DeviceIdentity } from '../registry/device-identity.js';
import type { ClientRequest } from '../transports/sip-stack/sip-stack.js';
import type { SipTarget } from './sip-target.js';
import { type SirSender, signedSia } from './sir-body.js';

/** Its Call-ID is the SIR's id, which an answer may cite. */
export function sirRequest(sir: Sir, target: SipTarget, sender: SirSender): ClientRequest {
  const { device, identityIn } = sir;
  const inHeader = identityIn.includes('header') ? device : undefined;
  const to = inHeader && deviceAddress(inHeader, sir, target);
  const value = identityIn.includes('value') || (inHeader && to === undefined) ? device : undefined;
  return {
    method: 'MESSAGE',
    uri: target.uri,
    from: `<${sender.ppgUri}>`,
    to: `<${to ?? sir.user}>`,
    callId: sir.id,
    headers: [
      { name: 'P-Asserted-Identity', value: `<${sender.ppgUri}>` },
      { name: 'Accept-Contact', value: '*;+g.oma.pusheventapp="push.sia"' },
      ...(value === undefined ? [] : valueHeaders(value, sir)),
      { name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' },
    ],
    contentType: 'application/vnd.wap.sia',
    body: encodeSia(signedSia(sir, sender)),
    ...(target.route === undefined ? {} : { route: target.route }),
    ...(target.destination === undefined ? {} : { destination: target.destination }),
  };
}

/**
 * The device as a SIP address: its GRUU, or the user's address with the instance as `gr`. Undefined for an identity that no SIP address can
 * have; then it stands beside, as a value.
 */
function deviceAddress(device: DeviceIdentity, { mode, user }: Sir, target: SipTarget): string | undefined {
  if (device.kind === 'gruu') return device.value;
  if (instanceUrn(device) === undefined) return undefined;
  return mode === 'routed' ? target.uri : `${user};gr=${device.value}`;
}

function valueHeaders(device: DeviceIdentity, { mode }: Sir): readonly SipHeader[] {
  const urn = instanceUrn(device);
  const routes = mode === 'routed' || mode === 'proxy-routed';
  return [
    ...(routes && urn !== undefined
      ? [{ name: 'Accept-Contact', value: `*;+sip.instance="<${urn}>";require;explicit` }]
      : []),
    { name: 'X-Push-Device-Identity', value: device.value },
  ];
}
