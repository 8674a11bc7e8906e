/** Where a best rate lies, in words: a rate on a plateau is never given to three digits as if it were known. */
import {formatRate} from '../format.ts';
import type {Peak} from '../peak.ts';

/** `6.32e-3`, or `3.6e-3 (1.1e-3 … 1.1e-2 not told apart)`. */
export function formatPlace({learningRate, place}: Pick<Peak, 'learningRate' | 'place'>): string {
  if (place.length < 2) return formatRate(learningRate);
  return `${rough(learningRate)} (${formatRange(place)} not told apart)`;
}

/** The same where there is little room: `6.32e-3`, or `about 3.6e-3`. */
export function formatPlaceShortly({learningRate, place}: Pick<Peak, 'learningRate' | 'place'>): string {
  return place.length < 2 ? formatRate(learningRate) : `about ${rough(learningRate)}`;
}

/** `1.1e-3 … 1.1e-2`. */
export function formatRange(place: readonly number[]): string {
  return `${rough(place[0]!)} … ${rough(place.at(-1)!)}`;
}

function rough(rate: number): string {
  const [digits, exponent] = rate.toExponential(1).split('e');
  return `${Number(digits)}e${Number(exponent)}`;
}
