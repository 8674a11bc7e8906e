/** File names of figures and tables. */

/** Small letters, digits and hyphens: `rates-gsm8k-accuracy-rank-8-batch-size-16`. */
export function slugOf(text: string): string {
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('λ', 'lambda')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return slug.slice(0, 100).replace(/-+$/, '') || 'run';
}

/** Each name once: a second one gets a number. */
export function distinct<T extends {name: string}>(all: readonly T[]): T[] {
  const taken = new Set<string>();
  return all.map(one => {
    let name = one.name;
    for (let k = 2; taken.has(name); k++) name = `${one.name}-${k}`;
    taken.add(name);
    return {...one, name};
  });
}
