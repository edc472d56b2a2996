/**
 * Which octets of a message are accounted for: those that arrived in chunks (RFC 4975 §7.3.1), or those that success
 * reports have confirmed (§7.1.2). A list of runs that are disjoint, ascending and never touch each other.
 * The caller bounds the length of the list.
 */

/** From `start` up to but without `end`, counted from 0. */
export interface OctetRun {
  start: number;
  end: number;
}

/** Adds `run`, joining what it touches. Chunks in order meet the first line; the search is bounded by the limit on runs. */
export function addRun(runs: OctetRun[], run: OctetRun): void {
  const last = runs.at(-1);
  if (last !== undefined && run.start >= last.start && run.start <= last.end) {
    last.end = Math.max(last.end, run.end);
    return;
  }
  let first = 0;
  while (first < runs.length && (runs[first]?.end ?? 0) < run.start) first += 1;
  let { start, end } = run;
  let behind = first;
  for (let next = runs[behind]; next !== undefined && next.start <= end; next = runs[behind]) {
    start = Math.min(start, next.start);
    end = Math.max(end, next.end);
    behind += 1;
  }
  runs.splice(first, behind - first, { start, end });
}

/** Length of the unbroken run from the first octet on. */
export function octetsFromStart(runs: readonly OctetRun[]): number {
  const first = runs[0];
  return first === undefined || first.start > 0 ? 0 : first.end;
}
