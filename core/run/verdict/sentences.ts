/** A comparison in a few sentences: no more than the numbers allow. */
import {settingsInWords} from '../compare/conditions.ts';
import {count, formatDifference, formatGap, formatMean, formatRate, formatValue} from '../format.ts';
import type {MethodCurve, Peak} from '../peak.ts';
import type {PeakGap, Spread} from '../spread.ts';
import type {Comparison} from '../verdict.ts';
import {mostMoreSeeds} from './needs.ts';
import {formatPlace, formatPlaceShortly, formatRange} from './place.ts';
import type {Word} from './words.ts';

/** While trials are under way every sentence says so. */
export function verdict(comparison: Comparison): string[] {
  const {metric, curves, spread, judging, challenged, left, isUnderWay} = comparison;
  const peaks = curves.flatMap(curve => curve.peak ?? []);
  const lone = curves.filter(isLone);
  const isNone = spread !== null && lone.length === curves.length;
  const sentences = [
    ...(spread ? loneInWords(lone, isNone) : []),
    ...(isNone
      ? []
      : spread
        ? spreadInWords(spread, metric, judging.confidence)
        : peaks.map(peak => peakInWords(peak, metric))),
    ...challenged.map(challengeInWords),
    ...leftInWords(left),
    ...plateaus(peaks),
    ...unequalSeeds(curves),
    ...edges(peaks),
    ...(isUnderWay ? [] : moreSeedsInWords(comparison)),
  ];
  return isUnderWay ? sentences.map(soFar) : sentences;
}

/** `not resolved, needs about 4 more seeds`: the word of a table's cell. */
export function wordInFull(gap: PeakGap): string {
  const needed = needsOf(gap);
  return needed === null ? gap.word : `${gap.word}, ${needed}`;
}

/** What a word still needs; null where there is one, or where nobody can say. */
function needsOf({more, moreQuestions}: PeakGap): string | null {
  if (moreQuestions === null) return more === null ? null : needs(more);
  const questions = count(moreQuestions, 'more question');
  return more === null ? `needs about ${questions}` : `${needs(more)} and ${questions}`;
}

function soFar(sentence: string): string {
  // A name, such as LoRA, is written as it is.
  const [first = ''] = /^[A-Z][a-z]*(?=[ ,])/.exec(sentence) ?? [];
  return `So far, ${first.toLowerCase()}${sentence.slice(first.length)}`;
}

/** One value is all there is of it: how good it is at a rate of its own, and how far that is chance, nobody knows. */
function isLone({points, slices = [points]}: MethodCurve): boolean {
  const valued = slices.flat().filter(({mean}) => mean !== null);
  return valued.length === 1 && valued[0]!.seeds === 1;
}

function loneInWords(lone: readonly MethodCurve[], isAll: boolean): string[] {
  if (lone.length === 0) return [];
  if (isAll)
    return [
      'One rate, one seed: no comparison. Whether a method did well or its rate suited it, and how much of that is chance, nobody can say.',
    ];
  return [`One rate, one seed: no comparison of ${list(lone.map(({method}) => method))} with the others.`];
}

function peakInWords(peak: Peak, metric: string): string {
  const value = formatMean(peak.mean, peak.std, metric);
  return `${peak.method} is best at ${formatPlace(peak)}: ${value} (${count(peak.seeds, 'seed')}).`;
}

function spreadInWords(spread: Spread, metric: string, confidence: number): string[] {
  const {ranking, baseline, atRate} = spread;
  const [best, worst] = [ranking[0]!, ranking.at(-1)!];
  const sentences = [
    `Each at its own best rate, the ${ranking.length} methods lie ${formatDifference(spread.peaks, metric)} apart: ` +
      `from ${best.method} with ${formatValue(best.mean, metric)} to ${worst.method} with ${formatValue(worst.mean, metric)}.`,
    ...wordsInWords(spread, metric),
    groundsInWords(spread, metric, confidence),
    ...questionsInWords(spread),
  ];
  const reference = ranking.find(peak => peak.method === baseline.method)!;
  const shared = atRate.find(({learningRate}) => learningRate === reference.learningRate);
  if (shared) {
    sentences.push(
      `At one shared rate, the best of ${reference.method} (${formatPlaceShortly(reference)}), ` +
        `they lie ${formatDifference(shared.spread, metric)} apart.`,
    );
  }
  return sentences;
}

/** A sentence for each word that was found, none where chance cannot be judged. */
function wordsInWords({gaps, baseline, margin, noise}: Spread, metric: string): string[] {
  if (!noise) return [];
  const those = (word: Word): string =>
    list(
      gaps
        .filter(gap => gap.word === word)
        .map(gap => {
          const needed = needsOf(gap);
          const interval = formatGap(gap.difference, gap.halfWidth, metric);
          return `${gap.method} (${interval}${needed === null ? '' : `, ${needed}`})`;
        }),
    );
  const starts: Record<Word, string> = {
    better: `Better than ${baseline.method}`,
    worse: `Worse than ${baseline.method}`,
    equivalent: `Equivalent to ${baseline.method}, within ${formatDifference(margin, metric)}`,
    'not resolved': `Not resolved against ${baseline.method}, neither a difference nor its absence`,
  };
  return (Object.keys(starts) as Word[]).flatMap(word => {
    const methods = those(word);
    return methods ? [`${starts[word]}: ${methods}.`] : [];
  });
}

function needs(more: number): string {
  if (more >= mostMoreSeeds) return `needs ${count(mostMoreSeeds, 'more seed')} or more`;
  return `needs about ${count(more, 'more seed')}`;
}

function groundsInWords({ranking, noise, margin}: Spread, metric: string, confidence: number): string {
  const seeds = ranking.map(peak => peak.seeds);
  const [fewest, most] = [Math.min(...seeds), Math.max(...seeds)];
  const n = fewest === most ? `n = ${count(most, 'seed')} a rate` : `n = ${fewest} to ${count(most, 'seed')} a rate`;
  if (noise === null) return `With ${n} nobody can say how much of that is chance.`;
  if (noise === 0) return `The seeds agree exactly (${n}), which says nothing about chance.`;
  const share = Number((100 * confidence).toFixed(1));
  return (
    `These words hold with ${share} % confidence for all methods together ` +
    `(${n}, pooled standard deviation ${formatDifference(noise, metric)}, margin ${formatDifference(margin, metric)}).`
  );
}

/** Where answers are stored: which of the two intervals was the wider one. */
function questionsInWords({gaps, noise, baseline}: Spread): string[] {
  const asked = gaps.filter(gap => gap.questions !== undefined);
  if (!noise || asked.length === 0) return [];
  const {number} = asked[0]!.questions!;
  const wide = asked.filter(({halfWidth, questions}) => questions!.half === halfWidth).map(({method}) => method);
  const all = wide.length === gaps.length;
  if (wide.length === 0)
    return [`The intervals are those over seeds: paired over the ${number} questions they would be narrower.`];
  return [
    `${all ? 'The intervals are those' : `The interval of ${list(wide)} is that`} over the ${number} questions, paired with ${baseline.method} question by question, ${all ? 'which are wider than those' : 'which is wider than that'} over seeds.`,
  ];
}

/** What to do where words are open; nothing of what was imported, which nobody here can train. */
function moreSeedsInWords({spread, judging, isBeside}: Comparison): string[] {
  if (!spread || judging.percentages || isBeside) return [];
  const wanted = spread.gaps.flatMap(({method, more, moreQuestions}) => {
    const peak = spread.ranking.find(one => one.method === method);
    return more === null || moreQuestions !== null || more >= mostMoreSeeds || !peak
      ? []
      : [{more, seeds: peak.seeds + more}];
  });
  if (wanted.length === 0) return [];
  const [more, seeds] = [Math.max(...wanted.map(one => one.more)), Math.max(...wanted.map(one => one.seeds))];
  return [
    `For the words that are missing add seeds at the best rates: \`run FILE --resume --more-seeds ${more}\`, or 'verdict: {seeds: ${Math.min(mostMoreSeeds, seeds)}}' in the sweep file and resume.`,
  ];
}

function challengeInWords({method, by, rates}: Comparison['challenged'][number]): string {
  return `As ${method} seemed to be behind ${by}, it was also trained at ${list(rates.map(formatRate))} with the same seeds.`;
}

function leftInWords(left: Comparison['left']): string[] {
  const reasons = [
    ['scan', 'Left after their scan, as others learnt far more in as many steps'],
    ['seed', 'Left after their first seed, as others of the method did better'],
    ['seeds', 'Left with several seeds, as others of the method did better on average'],
  ] as const;
  return reasons.flatMap(([when, why]) => {
    const own = left.filter(({after}) => after === when);
    const names = own.map(({method, settings}) => `${method} with ${settingsInWords(settings).join(', ')}`);
    return own.length > 0 ? [`${why}: ${names.join('; ')}.`] : [];
  });
}

function plateaus(peaks: readonly Peak[]): string[] {
  const wide = peaks.filter(({place}) => place.length > 1);
  if (wide.length === 0) return [];
  const ranges = list(wide.map(({method, place}) => `${method} (${formatRange(place)})`));
  return [`Best rates that are known only as a range, within which rates are not told apart: ${ranges}.`];
}

/** A mean over few seeds is more often the best by chance than one over many: that is said, but where a search meant it so. */
function unequalSeeds(curves: readonly MethodCurve[]): string[] {
  const grids = curves.filter(({found}) => found === undefined || found === 'grid');
  const numbers = grids.flatMap(({points}) =>
    points.flatMap(({seeds, diverged}) => (seeds > 0 ? [seeds + diverged] : [])),
  );
  const [fewest, most] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length === 0 || fewest === most) return [];
  return [
    `The rates have unequal numbers of seeds, ${fewest} to ${most}: a method's best rate is one of those with the most.`,
  ];
}

function edges(peaks: readonly Peak[]): string[] {
  return (['lowest', 'highest'] as const).flatMap(edge => {
    const at = peaks.filter(peak => peak.edge === edge).map(peak => peak.method);
    if (at.length === 0) return [];
    return [`The best rate of ${list(at)} is the ${edge} one tried: a better one may lie outside the grid.`];
  });
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
