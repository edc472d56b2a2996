/** IP addresses of client specifiers: any text form that RFC 4291 §2.2 allows in, one form out (RFC 5952). */

/** Dotted decimal without leading zeros; undefined when it is no address. Groups of up to three digits are taken, zeros included. */
export function canonicalIpv4(text: string): string | undefined {
  const groups = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return groups?.every((group) => group <= 255) ? groups.join('.') : undefined;
}

/** Lower case, zeros compressed; undefined when it is no address. */
export function canonicalIpv6(text: string): string | undefined {
  const groups = text.length <= 45 ? ipv6Groups(text) : undefined;
  if (groups === undefined) return undefined;
  const run = longestZeroRun(groups);
  const words = groups.map((group) => group.toString(16));
  if (run.length < 2) return words.join(':');
  return `${words.slice(0, run.start).join(':')}::${words.slice(run.start + run.length).join(':')}`;
}

function ipv6Groups(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = readGroups(halves[1] ?? '', true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Groups between colons; the last one of the address may be a dotted IPv4 address, which is two groups. */
function readGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [index, word] of words.entries()) {
    if (isEnd && index === words.length - 1 && word.includes('.')) {
      const octets = canonicalIpv4(word)?.split('.').map(Number);
      const [a, b, c, d] = octets ?? [];
      if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
