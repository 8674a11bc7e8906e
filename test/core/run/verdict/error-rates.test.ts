/** A small sample of `npm run bench -- verdict`; its random numbers are the same every time. */
import {describe, expect, it} from 'vitest';
import {looksOf} from '../../../../core/run/verdict/words.ts';
import {families, type Outcome, play, truths} from '../../../bench/worlds/verdict-world.ts';

const sweeps = 60;
const played = (search: boolean, most: number, truth: string): Outcome[] =>
  Array.from({length: sweeps}, (_, k) =>
    play(
      {family: families['equal']!, truth: truths[truth]!, search, seeds: 3, looks: looksOf(3, most)},
      `sample ${search} ${truth}`,
      k,
    ),
  );
const words = (outcomes: readonly Outcome[]) => outcomes.flatMap(outcome => outcome.words);

describe.each([
  ['a grid', false],
  ['a search', true],
])('of sweeps by %s, up to 8 seeds', (_, search) => {
  it('methods that are truly equal are mostly called so, and hardly ever better or worse', () => {
    const found = words(played(search, 8, 'equal'));
    expect(found).toHaveLength(4 * sweeps);
    expect(found.filter(({word}) => word === 'equivalent').length).toBeGreaterThan(0.7 * found.length);
    expect(found.filter(({word}) => word === 'better' || word === 'worse').length).toBeLessThan(0.03 * found.length);
  });

  it('methods a margin apart are hardly ever called equivalent, and never the wrong way round', () => {
    const found = words(played(search, 8, 'a margin apart'));
    expect(found.filter(({word}) => word === 'equivalent').length).toBeLessThan(0.03 * found.length);
    expect(
      found.filter(({word, truth}) => (word === 'better' && truth < 0) || (word === 'worse' && truth > 0)),
    ).toEqual([]);
  });
});
