/** How far methods lie apart, each at its own best rate, and what may be said of that. */
import {lowerIsBetter, type MethodCurve, type Peak} from './peak.ts';
import {needsOf} from './verdict/needs.ts';
import {type Gap, type Judgement, type Judging, judge} from './verdict/words.ts';

export interface Spread extends Omit<Judgement, 'gaps'> {
  /** Best first. */
  ranking: Peak[];
  /** Between the best and the worst peak. */
  peaks: number;
  /** Between the methods at one shared rate, for every rate that all of them have a value for. */
  atRate: {learningRate: number; spread: number}[];
  /** Of each other method's peak to the baseline's, in the order given. */
  gaps: PeakGap[];
}

export interface PeakGap extends Gap {
  /** Seeds that are still needed for a word, about; null where none are, or where nobody can say. */
  more: number | null;
  /** Questions that are still needed, where more seeds alone would not do; null where they would, or where there is a word. */
  moreQuestions: number | null;
}

/** Null with fewer than two methods. */
export function spreadOf(curves: MethodCurve[], metric: string, judging: Judging): Spread | null {
  const peaks = curves.flatMap(curve => curve.peak ?? []);
  const judgement = judge(peaks, metric, judging);
  if (!judgement) return null;
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const ranking = peaks.slice().sort((a, b) => sign * (a.mean - b.mean));
  return {
    ...judgement,
    ranking,
    peaks: Math.abs(ranking[0]!.mean - ranking.at(-1)!.mean),
    atRate: sharedRates(curves.filter(curve => curve.peak)),
    gaps: judgement.gaps.map(gap => {
      const needs = needsOf(gap, peaks, judgement, judging);
      return {...gap, more: needs?.seeds || null, moreQuestions: needs?.questions || null};
    }),
  };
}

function sharedRates(curves: MethodCurve[]): Spread['atRate'] {
  return (curves[0]?.points ?? []).flatMap(({learningRate}) => {
    const means = curves.flatMap(
      curve => curve.points.find(point => point.learningRate === learningRate && point.mean !== null)?.mean ?? [],
    );
    return means.length < curves.length ? [] : [{learningRate, spread: Math.max(...means) - Math.min(...means)}];
  });
}
