/**
 * "Did you mean": the known name closest to one that was mistyped. Closeness is the number of letters to insert, remove or
 * change; a name that is mostly different is no suggestion.
 */

/** `; did you mean "port"?` or the empty string. */
export function nearest(mistyped: string, known: Iterable<string>): string {
  let best: string | undefined;
  // Two letters swapped count as two changes: allow them wherever the name is not shorter than four letters.
  const allowed = Math.max(mistyped.length < 4 ? 1 : 2, Math.floor(mistyped.length / 3));
  let bestDistance = allowed + 1;
  for (const name of known) {
    const distance = editDistance(mistyped.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best === undefined ? '' : `; did you mean "${best}"?`;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const change = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
