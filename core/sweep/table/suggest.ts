import {distance} from 'fastest-levenshtein';

/** Longer words are no slips of the pen. */
const longestWord = 64;

/**
 * The name a user most likely meant, or undefined where nothing is near: case, spaces and punctuation do not count
 * (`Init[AB]` is `init-ab`), then the beginning of exactly one name (`learn`), then about one slip in three letters,
 * two letters in the wrong order being one slip.
 * `names` maps each right name to the other words people use for it.
 */
export function nearest(word: string, names: ReadonlyMap<string, readonly string[]>): string | undefined {
  const typed = bare(word);
  if (typed === '' || typed.length > longestWord) return undefined;
  const begun = [...names.keys()].filter(name => typed.length >= 3 && bare(name).startsWith(typed));
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const [name, others] of names) {
    for (const spelling of [name, ...others].map(bare)) {
      if (spelling === typed) return name;
      // A name of two letters is one slip away from too much.
      const slips = spelling.length < 3 ? bestDistance : areSwapped(typed, spelling) ? 1 : distance(typed, spelling);
      if (slips < bestDistance) {
        best = name;
        bestDistance = slips;
      }
    }
  }
  return begun.length === 1 ? begun[0] : best;
}

/** Whether one word is the other with two neighbours in the wrong order. */
function areSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i + 1 < a.length && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

function bare(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '');
}
