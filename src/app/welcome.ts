/** What `carillon serve` prints once it runs: where everything is, and the first thing to try. For people; programs read the log. */
import type { Config } from '../config/schema.js';
import type { AdminToken } from './admin-token.js';
import type { Gateway } from './gateway.js';
import { VERSION } from './version.js';

export function welcome(gateway: Gateway, config: Config, token: AdminToken): string {
  const { http, admin, sip, sips, msrp, msrps, ota, wsp } = gateway.addresses;
  const adminUrl = `http://${hostPort(admin)}`;
  const rows: [string, string][] = [
    ['PAP', `${config.http.tls === undefined ? 'http' : 'https'}://${hostPort(http)}/pap`],
    ['Admin API', `${adminUrl}/admin/v1 (described by ${adminUrl}/openapi.yaml)`],
    ['Admin token', tokenRow(token)],
    [
      'SIP',
      `${hostPort(sip)} (${config.sip.transports.join(', ')}), push sessions at sip:${config.sip.ppgUser}@${config.domain}`,
    ],
    ...(sips === undefined ? [] : ([['SIP over TLS', hostPort(sips)]] as [string, string][])),
    ['MSRP', hostPort(msrp)],
    ...(msrps === undefined ? [] : ([['MSRP over TLS', hostPort(msrps)]] as [string, string][])),
    ...(ota === undefined ? [] : ([['OTA-HTTP', hostPort(ota)]] as [string, string][])),
    ...(wsp === undefined ? [] : ([['WSP', hostPort(wsp)]] as [string, string][])),
    ['Redis', gateway.redis],
    ['Data', config.dataDir],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const table = rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`).join('\n');
  return `Carillon ${VERSION} is running.\n${table}\n${nextStep(adminUrl, token)}`;
}

function tokenRow({ token, file, isNew }: AdminToken): string {
  if (file === undefined) return 'as configured';
  return isNew ? `${token} (shown this once, kept in ${file})` : `kept in ${file}`;
}

function nextStep(adminUrl: string, { file }: AdminToken): string {
  const bearer = file === undefined ? '<admin.token>' : `$(cat '${file}')`;
  return [
    'Next: let a content provider in, then follow "First push" in README.md.',
    `  curl -X PUT ${adminUrl}/admin/v1/push-initiators/me -H "Authorization: Bearer ${bearer}" \\`,
    `    -H 'Content-Type: application/json' -d '{"password": "choose one"}'`,
    '',
  ].join('\n');
}

/** As it goes into a URL: IPv6 in brackets, a wildcard as the name of this machine. */
function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0' || host === '::') return `localhost:${port}`;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
