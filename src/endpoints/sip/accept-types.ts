/** The SDP attribute `accept-types` (RFC 4975 §8.6): `*`, `type/*` and `type/subtype`, without parameters, ignoring case. */
export function acceptsType(acceptTypes: readonly string[], contentType: string): boolean {
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return acceptTypes.some((accepted) => {
    const wanted = accepted.toLowerCase();
    return (
      wanted === '*' || wanted === type || (wanted.endsWith('/*') && type.startsWith(wanted.slice(0, -1)))
    );
  });
}
