/** Things of different sizes in a few classes, each treated as its largest member: which classes cost least. */

export interface Kind<T> {
  /** Things of one size are never separated. */
  size(item: T): number;
  /** What both fit. */
  union(a: T, b: T): T;
  /** Of one member of a class that is treated as `whole`. */
  cost(whole: T): number;
  /** Of the class itself. */
  price(whole: T): number;
}

export interface Split<T> {
  /** Of all members of all classes. */
  cost: number;
  /** Smallest first. */
  classes: {whole: T; members: number}[];
}

/** The last class of a split of the smaller sizes: where it begins among them, and what all of it costs. */
interface Last<T> {
  cost: number;
  start: number;
  whole: T;
  members: number;
}

/** The cheapest split of the items, sorted by size, into at most `most` classes (dynamic programming). */
export function cheapestSplit<T>(items: readonly T[], {size, union, cost, price}: Kind<T>, most: number): Split<T> {
  const alike = new Map<number, {whole: T; members: number}>();
  for (const item of items) {
    const known = alike.get(size(item));
    alike.set(size(item), {whole: known ? union(known.whole, item) : item, members: 1 + (known?.members ?? 0)});
  }
  const sorted = [...alike.entries()].sort(([a], [b]) => a - b).map(([, own]) => own);
  if (sorted.length === 0) return {cost: 0, classes: []};

  // best[end][count - 1]: the cheapest split of the sizes up to `end` into `count` classes.
  const best: Last<T>[][] = [];
  for (let end = 0; end < sorted.length; end++) {
    const own: Last<T>[] = [];
    let {whole, members} = sorted[end]!;
    for (let start = end; start >= 0; start--) {
      if (start < end) {
        whole = union(whole, sorted[start]!.whole);
        members += sorted[start]!.members;
      }
      const alone = price(whole) + members * cost(whole);
      if (start === 0) own[0] = {cost: alone, start, whole, members};
      for (const [i, before] of (best[start - 1] ?? []).entries())
        if (i + 1 < most && before.cost + alone < (own[i + 1]?.cost ?? Infinity))
          own[i + 1] = {cost: before.cost + alone, start, whole, members};
    }
    best.push(own);
  }
  const complete = best.at(-1)!;
  const count = 1 + complete.reduce((least, {cost}, i) => (cost < complete[least]!.cost ? i : least), 0);
  const classes: Split<T>['classes'] = [];
  for (let end = sorted.length - 1, i = count - 1; i >= 0; i--) {
    const {start, whole, members} = best[end]![i]!;
    classes.unshift({whole, members});
    end = start - 1;
  }
  return {cost: complete[count - 1]!.cost, classes};
}
