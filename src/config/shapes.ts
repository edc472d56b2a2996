/** Shapes that keys of the configuration have in common: ports, counts, hosts, secrets, each with its description. */
import { z } from 'zod';

/** Highest number of entries in a list that an operator writes: far above need, low enough to refuse a runaway file. */
export const MAX_LIST_ENTRIES = 1000;

export const port = (fallback: number, description: string) =>
  z.int().min(0).max(65_535).default(fallback).meta({ description });

export const count = (fallback: number, min: number, max: number, description: string) =>
  z.int().min(min).max(max).default(fallback).meta({ description });

export const delays = (fallback: number[], description: string) =>
  z.array(z.int().min(1).max(2_592_000)).min(1).max(100).default(fallback).meta({ description });

/** Text of one form. What it takes goes into the refusal, the reference, and editors (`patternErrorMessage`). */
export const text = (pattern: RegExp, takes: string, description: string) =>
  z.string().regex(pattern, takes).meta({ description, patternErrorMessage: takes });

/** A secret: never shown in an error, marked `writeOnly` in the JSON Schema. */
export const secret = (description: string) =>
  z.string().min(1).max(1024).meta({ description, writeOnly: true });

export const host = (fallback: string, description: string) =>
  text(
    /^[A-Za-z0-9._:%-]{1,255}$/,
    'a host name or an IP address (IPv6 without brackets)',
    description,
  ).default(fallback);

export const name = (description: string) =>
  text(/^[A-Za-z0-9._@+-]{1,128}$/, '1 to 128 letters, digits and the signs . _ @ + -', description);

export const advertise = (description: string) =>
  text(
    /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
    'host or host:port (IPv6 in brackets)',
    description,
  ).optional();

/** Path of a file that is read at the start. */
export const file = (description: string) => z.string().min(1).max(4096).meta({ description });

export const moreHosts = (what: string) =>
  z
    .array(host('::1', 'Address.'))
    .max(16)
    .default([])
    .meta({
      description: `Further addresses that ${what} listens on, on the same ports: an IPv6 address beside an IPv4 one, for instance. What peers are told of us is of the family that they use.`,
    });

/** TLS on a port of its own. */
export const tlsPort = (what: { readonly port: number; readonly does: string; readonly section: string }) =>
  z
    .strictObject({
      port: port(what.port, `Port of ${what.does} over TLS; 0 takes a free one.`),
      certFile: file('Certificate chain of the gateway, PEM.'),
      keyFile: file('Its private key, PEM.'),
    })
    .optional()
    .meta({ description: what.section });
