/** Keys of the two HTTP servers: the public one, and that of the operator. */
import { z } from 'zod';
import { file, host, port, text } from './shapes.js';

const bearerToken = (description: string) =>
  text(
    /^[A-Za-z0-9._~+/-]{1,512}=*$/,
    'letters, digits and the signs . _ ~ + / - (a bearer token, RFC 6750)',
    description,
  ).meta({ writeOnly: true });

export const http = z.strictObject({
  host: host('127.0.0.1', 'Address that the public HTTP server listens on.'),
  port: port(8080, 'Public HTTP port (PAP, JSON API); 0 takes a free one.'),
  tls: z
    .strictObject({
      certFile: file('Certificate chain of the gateway, PEM.'),
      keyFile: file('Its private key, PEM.'),
      clientCaFile: z.string().min(1).max(4096).optional().meta({
        description:
          'CAs of client certificates, PEM. When given, initiators may show a certificate instead of a password; nobody has to.',
      }),
    })
    .optional()
    .meta({ description: 'TLS on the public port: HTTPS instead of HTTP. Absent: plain HTTP.' }),
});

export const admin = z.strictObject({
  host: host('127.0.0.1', 'Address that the admin HTTP server listens on.'),
  port: port(8081, 'Admin HTTP port; 0 takes a free one.'),
  token: bearerToken(
    'Bearer token of the admin API; absent: generated once and kept in `<dataDir>/admin-token`, readable by the owner only.',
  ).optional(),
  viewerToken: bearerToken(
    'A second bearer token of the admin API, with which everything can be read and nothing changed; absent: there is none.',
  ).optional(),
});
