/** Names that somebody who mistyped one may have meant. */

/** Edits (insert, delete, replace, swap of neighbours) from one name to the other: optimal string alignment. */
export function editsBetween(one: string, other: string): number {
  let older: number[] = [];
  let old: number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      let least = Math.min(
        (old[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (old[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (swapped) least = Math.min(least, (older[column - 2] ?? 0) + 1);
      next.push(least);
    }
    older = old;
    old = next;
  }
  return old[other.length] ?? 0;
}

/** At most three of `names` that are near, the nearest first: a third of the letters wrong at most, or one is part of the other. */
export function namesNear(wanted: string, names: readonly string[]): string[] {
  const near = names
    .filter((name) => name !== wanted)
    .map((name) => ({
      name,
      edits: editsBetween(wanted, name),
      part: name.includes(wanted) || wanted.includes(name),
    }))
    .filter(({ edits, part, name }) => part || edits <= Math.ceil(Math.max(name.length, wanted.length) / 3));
  return near
    .sort((one, other) => one.edits - other.edits || (one.name < other.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}
