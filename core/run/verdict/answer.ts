/** What a run came to, in one line. */
import {titled} from '../compare/titled.ts';
import type {RunState} from '../fold.ts';
import {formatMean} from '../format.ts';
import {type Comparison, compare, title} from '../verdict.ts';
import {formatPlaceShortly} from './place.ts';

/** Methods that are named; the others are counted. */
const mostNamed = 4;

/** `LoRA 98.6 % at 1e-3, PiSSA 97.1 % at 5e-4 (worse); task accuracy, rank 8, batch size 16`, the best method first. */
export function answerInALine(state: RunState): string {
  const [first, ...others] = compare(state).map(titled);
  if (!first) return 'no trial has a result';
  const further = others.length === 0 ? '' : `; ${others.length} more in the results`;
  return `${standings(first)}; ${title(first)}${further}`;
}

function standings({curves, spread, metric}: Comparison): string {
  const ranking = spread?.ranking ?? curves.flatMap(({peak}) => peak ?? []);
  const named = ranking.slice(0, mostNamed).map(peak => {
    const word = spread?.gaps.find(({method}) => method === peak.method)?.word;
    const value = formatMean(peak.mean, peak.std, metric);
    return `${peak.method} ${value} at ${formatPlaceShortly(peak)}${word ? ` (${word})` : ''}`;
  });
  const left = ranking.length - named.length;
  return [...named, ...(left > 0 ? [`${left} more`] : [])].join(', ');
}
