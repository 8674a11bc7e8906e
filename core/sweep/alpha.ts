import type {Alpha} from './sweep.ts';

/** Bounds that keep alpha finite for every rank a sweep may have. */
const largestFactor = 1e6;
const largestPower = 4;

const factorPattern =
  /^(?:(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)|(?<rank>rank)|(?<root>sqrt\s*\(\s*rank\s*\)))$/i;

/** What is wrong with an expression. */
export interface AlphaFault {
  code: 'bad-expression' | 'out-of-range';
  message: string;
}

/** Reads a product of numbers, `rank` and `sqrt(rank)`: `16`, `2*rank`, `rank * sqrt(rank)`. */
export function readAlpha(text: string): Alpha | AlphaFault {
  let factor = 1;
  let rankPower = 0;
  for (const part of text.slice(0, 1000).split('*')) {
    const groups = factorPattern.exec(part.trim())?.groups;
    if (groups === undefined) {
      const what =
        part.trim() === '' ? 'a factor is missing beside a *' : `'${part.trim().slice(0, 40)}' is none of them`;
      const message = `alpha is a product of numbers, rank and sqrt(rank), like 16, rank, 2*rank or rank*sqrt(rank): ${what}.`;
      return {code: 'bad-expression', message};
    }
    if (groups['number'] !== undefined) factor *= Number(groups['number']);
    else rankPower += groups['rank'] !== undefined ? 1 : 0.5;
  }
  if (!(factor > 0)) {
    return {
      code: 'out-of-range',
      message: `alpha must be above 0, but ${text.trim().slice(0, 40)} is not: write rank, or a positive number.`,
    };
  }
  if (factor > largestFactor || rankPower > largestPower) {
    const message = `alpha is too large: its number may be ${largestFactor} at most and rank stand in it ${largestPower} times at most. rank is the usual choice.`;
    return {code: 'out-of-range', message};
  }
  return {factor, rankPower, text: text.trim()};
}

/** The value of alpha at a rank; the update is scaled by alpha / rank. */
export function alphaOf({factor, rankPower}: Alpha, rank: number): number {
  const whole = Math.floor(rankPower);
  return factor * rank ** whole * (rankPower > whole ? Math.sqrt(rank) : 1);
}
