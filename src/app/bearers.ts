/** The ways to terminals put together: every bearer of this gateway by its name, and what belongs to it and is needed elsewhere. */
import type { Bearer } from '../push/ports.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { GatewayConfig } from './admin-token.js';
import { type Delegates, openDelegates } from './delegates.js';
import type { Facts } from './facts.js';
import type { Opened } from './opened.js';
import { createOtaBearer, type OtaListener, otaListener } from './ota-http.js';
import { openSignalling, type Signalling } from './sip.js';
import { openSmpp, type Smpp } from './smpp.js';
import type { Stores } from './stores.js';
import { createWebBearers, type WebBearers } from './web-bearers.js';
import { openWsp, type Wsp, type WspListener, wspListener } from './wsp.js';

export interface Bearers {
  readonly byName: ReadonlyMap<BearerName, Bearer>;
  readonly signalling: Signalling;
  /** Where terminals call by OTA-HTTP, when they can. */
  readonly ota: OtaListener | undefined;
  readonly wsp: Wsp;
  /** Where terminals open WSP sessions, when they can. */
  readonly wspPlace: WspListener | undefined;
  readonly web: WebBearers;
  readonly smpp: Smpp;
  readonly delegates: Delegates | undefined;
}

/** `node`: the name of this process. Everything is closed with `opened`. */
export async function openBearers(
  config: GatewayConfig,
  stores: Stores,
  telemetry: Telemetry,
  facts: Facts,
  validator: Parameters<typeof openDelegates>[2],
  node: string,
  opened: Opened,
): Promise<Bearers> {
  const { log } = telemetry;
  // The places first: SIRs by every bearer name them.
  const ota = await otaListener(config);
  const wspPlace = await wspListener(config, log);
  if (wspPlace) opened.use(wspPlace);
  const signalling = opened.use(
    await openSignalling(config, stores, telemetry, node, ota?.contactPoint, wspPlace?.contactPoint),
  );
  const { sender } = signalling;
  const otaHttp = opened.use(createOtaBearer(config, stores, sender));
  const wsp = opened.use(await openWsp(config, sender, log));
  const web = opened.use(createWebBearers(config, stores, sender, facts));
  const smpp = opened.use(await openSmpp(config, stores, sender, telemetry, facts));
  const delegates = openDelegates(config, stores, validator);
  if (delegates) opened.use(delegates);
  const byName = new Map<BearerName, Bearer>([
    ['sip', signalling.bearer],
    ['ota-http', otaHttp.bearer],
    ...(wsp.bearer ? ([['wsp', wsp.bearer]] as const) : []),
    ...web.bearers,
    ...smpp.bearers,
    ...(delegates ? ([['delegate', delegates.bearer]] as const) : []),
  ]);
  return { byName, signalling, ota, wsp, wspPlace, web, smpp, delegates };
}
