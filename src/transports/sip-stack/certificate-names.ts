/**
 * Whether a certificate stands for a SIP domain (RFC 5922 §7.1, §7.2): its SIP URIs say so, else its DNS names, else, when it has
 * no alternative names at all, its common name. Names are compared as a whole, case aside: a wildcard stands for nothing.
 * An address is proved by an address in the certificate.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** As `checkServerIdentity` of node:tls: an error when the certificate does not stand for the domain. */
export function checkSipDomain(domain: string, certificate: PeerCertificate): Error | undefined {
  if (isIP(domain) !== 0) return checkServerIdentity(domain, certificate);
  const names = sipDomainsOf(certificate);
  if (names.includes(domain.toLowerCase().replace(/\.$/, ''))) return undefined;
  return new Error(`the certificate is for ${names.join(', ') || 'nobody'}, not for ${domain}`);
}

function sipDomainsOf({ subjectaltname, subject }: PeerCertificate): readonly string[] {
  const names = alternativeNames(subjectaltname ?? '');
  const uris = names.flatMap(({ kind, value }) => (kind === 'URI' ? (sipDomainOf(value) ?? []) : []));
  if (uris.length > 0) return uris;
  const hosts = names.flatMap(({ kind, value }) => (kind === 'DNS' ? value.toLowerCase() : []));
  if (hosts.length > 0 || names.length > 0) return hosts;
  const commonName: unknown = subject?.CN;
  return typeof commonName === 'string' ? [commonName.toLowerCase()] : [];
}

/** Node's list, `DNS:a.test, IP Address:192.0.2.1`. A name that needs quotes there is none that we could be looking for. */
function alternativeNames(list: string): readonly { readonly kind: string; readonly value: string }[] {
  const entries = list.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? [];
  return entries.map((entry) => {
    const [, kind = '', value = ''] = /^\s*([^:]+):(.*)$/s.exec(entry) ?? [];
    return { kind, value: value.trim() };
  });
}

/** [RFC 5922 §7.1] a SIP URI with a user part names a user, not a domain. */
function sipDomainOf(uri: string): string | undefined {
  return /^sip:([^@;:?"]+)$/i.exec(uri)?.[1]?.toLowerCase();
}
