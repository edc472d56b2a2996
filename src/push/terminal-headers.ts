/**
 * Which headers of a content entity go with it to the terminal: its own description (`Content-*`) and extension fields (`X-*`),
 * among them the application id, and what it says of caching and transformation. Everything else concerns the path from the initiator to us. Push-Flag is ours alone to
 * set (WAP-235 §8.2.1).
 */

/** `name` as it was written. */
export function goesToTerminal(name: string): boolean {
  return (
    /^(?:x-|content-|cache-control$)/i.test(name) &&
    !/^content-(?:type|length|transfer-encoding|range)$/i.test(name)
  );
}
