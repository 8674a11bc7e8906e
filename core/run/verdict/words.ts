/** What may be said of methods beside a baseline, with known rates of error: docs/verdict.md. Pure numbers, no sentences. */
import {lowerIsBetter, unitOf} from '../peak.ts';
import {dunnett} from './dunnett.ts';
import {type Noise, pooled} from './noise.ts';
import {halfOver, paired} from './questions.ts';
import {studentQuantile} from './student.ts';

export type Word = 'better' | 'worse' | 'equivalent' | 'not resolved';

/** How words are formed. */
export interface Judging {
  /** The method that all others are compared with; where it has no value, the first one that has. */
  baseline: string;
  /** Differences up to this do not matter, as in a sweep file: 0.01 is one point of a share, or 1 % of the baseline's loss. */
  margin: number;
  /** With which no word is wrong, over all methods of a comparison together. */
  confidence: number;
  /** Numbers without a unit are percentages, as such are published: a margin of 0.01 is 1 of them. */
  percentages?: true;
}

/** A method's values at its best rate. */
export interface Sample {
  method: string;
  mean: number;
  /** Sample standard deviation (n - 1); null with fewer than two seeds. */
  std: number | null;
  seeds: number;
  /** Which questions each seed answered rightly (`packRight`); absent where that is not known of all. */
  right?: readonly string[];
}

/** A method against the baseline. */
export interface Gap {
  method: string;
  /** Mean less the baseline's mean. */
  difference: number;
  /** Half of the interval around `difference` in which the true one lies, for all methods together; null where the noise is not known or nought. */
  halfWidth: number | null;
  word: Word;
  /** Over the questions that both were asked, paired; the half width is never less than `half`. Absent where answers are not stored. */
  questions?: {half: number; number: number};
}

export interface Judgement {
  baseline: Sample;
  /** In the metric's unit. */
  margin: number;
  /** Pooled standard deviation over seeds; null where no method has two. */
  noise: number | null;
  /** Of all others, in the order given. */
  gaps: Gap[];
}

/** A difference must stay so far inside the margin before it is called equivalent: it was measured to keep 5 %. */
export const within = 0.9;

/** From this ratio of their own to the pooled variance on two methods are judged by their own noise as well. */
const loud = 1.6;

/** Words for every method beside the baseline; null with fewer than two methods. */
export function judge(samples: readonly Sample[], metric: string, judging: Judging): Judgement | null {
  const baseline = samples.find(({method}) => method === judging.baseline) ?? samples[0];
  const others = samples.filter(sample => sample !== baseline);
  if (!baseline || others.length === 0) return null;
  const margin = marginOf(baseline.mean, metric, judging);
  const all = pooled(samples);
  const gaps = others.map(other => {
    const difference = other.mean - baseline.mean;
    const overSeeds = halfOverSeeds({baseline, other, others}, all, judging.confidence);
    const questions = questionsOf({baseline, other, others}, metric, judging.confidence);
    // With one seed, or seeds that agree exactly, questions alone do not say what is chance.
    const halfWidth = overSeeds === null ? null : Math.max(overSeeds, questions?.half ?? 0);
    const ahead = lowerIsBetter(metric) ? -difference : difference;
    const word = wordOf(ahead, halfWidth, margin);
    return {method: other.method, difference, halfWidth, word, ...(questions && {questions})};
  });
  return {baseline, margin, noise: all && Math.sqrt(all.variance), gaps};
}

/** The margin in the metric's own unit. */
export function marginOf(baseline: number, metric: string, {margin, percentages}: Judging): number {
  switch (unitOf(metric)) {
    case 'share':
    case 'change':
      return margin;
    case 'loss':
      return margin * Math.abs(baseline);
    case 'number':
      return percentages && Math.abs(baseline) > 1 ? 100 * margin : margin;
  }
}

function wordOf(ahead: number, halfWidth: number | null, margin: number): Word {
  if (halfWidth === null) return 'not resolved';
  if (Math.abs(ahead) > halfWidth) return ahead > 0 ? 'better' : 'worse';
  return Math.abs(ahead) + halfWidth < within * margin ? 'equivalent' : 'not resolved';
}

export interface Pair {
  baseline: Sample;
  other: Sample;
  /** All that are compared with the baseline. */
  others: readonly Sample[];
}

/** Dunnett's with the pooled or, if larger, the pair's own variance; Welch's where the pair is loud and that is larger still. */
export function halfOverSeeds({baseline, other, others}: Pair, all: Noise | null, confidence: number): number | null {
  if (!all || all.variance === 0) return null;
  const pooled = all.variance / baseline.seeds + all.variance / other.seeds;
  const parts = [baseline, other].map(({std, seeds}) => ({of: std === null ? null : std ** 2 / seeds, seeds}));
  const own = parts.reduce<number | null>((sum, {of}) => (sum === null || of === null ? null : sum + of), 0);
  const correlation = Math.min(...others.map(({seeds}) => seeds / (seeds + baseline.seeds)));
  const critical = dunnett(confidence, others.length, all.freedom, correlation);
  const usual = critical * Math.sqrt(Math.max(pooled, own ?? 0));
  if (own === null || own <= loud * pooled) return usual;
  const freedom = own ** 2 / parts.reduce((sum, {of, seeds}) => sum + (of ?? 0) ** 2 / (seeds - 1), 0);
  return Math.max(usual, studentQuantile(1 - (1 - confidence) / others.length, freedom) * Math.sqrt(own));
}

/** Of shares only: one right or wrong answer a question is what pairs. */
function questionsOf({baseline, other, others}: Pair, metric: string, confidence: number): Gap['questions'] {
  if (unitOf(metric) !== 'share' || !baseline.right || !other.right) return undefined;
  const both = paired(other.right, baseline.right);
  return both ? {half: halfOver(both, others.length, confidence), number: both.questions} : undefined;
}

/** Of words that are formed at several numbers of seeds none may be wrong; a grid has picked its peaks by the same values. */
export function confidenceOf({looks, isSearch}: {looks: number; isSearch: boolean}): number {
  return 1 - (isSearch ? 0.05 : 0.03) / Math.max(1, looks);
}

/** Numbers of seeds at which words are formed, from those of the file to the most: each about 1.6 times the one before. */
export function looksOf(first: number, most: number): number[] {
  const looks = first > 1 ? [first] : [];
  for (let seeds = first; seeds < most; ) {
    const next = Math.max(3, Math.ceil(1.6 * seeds));
    seeds = 1.3 * next >= most ? most : next;
    looks.push(seeds);
  }
  return looks.length > 0 ? looks : [most];
}
