/**
 * Made-up evaluations with a known truth: methods of which some do better on some questions, and questions that are drawn from all
 * there could be. Judged by the product's own words, with and without knowing who answered which question rightly.
 */
import {mean} from '../../../core/numbers.ts';
import {ratePoint} from '../../../core/run/peak.ts';
import {normalBelow} from '../../../core/run/verdict/dunnett.ts';
import {packRight} from '../../../core/run/verdict/questions.ts';
import {confidenceOf, judge, type Sample, type Word} from '../../../core/run/verdict/words.ts';
import {random} from '../../../trainer/math/random.ts';

export const margin = 0.02;
const methods = 5;

export interface QuestionSetting {
  questions: number;
  seeds: number;
  /** Standard deviation of what a method does better on single questions, in probits; questions themselves differ by 1. */
  taste: number;
  /** By how much the others are truly better than the first by turns of sign. */
  apart: number;
}

/** Words for the others: by the seeds alone, and with the answers. */
export function playQuestions(setting: QuestionSetting, number: number): {seeds: Word[]; answers: Word[]} {
  const {questions, seeds, taste, apart} = setting;
  const stream = random('questions', JSON.stringify(setting), number);
  const difficulty = stream.normal(questions);
  const samples = Array.from({length: methods}, (_, method): Sample => {
    const truth = 0.7 + (method === 0 ? 0 : method % 2 === 0 ? -apart : apart);
    // Over all questions a normal threshold with all deviations together: P = Φ(level / √(1 + 1 + taste²)).
    const level = quantile(truth) * Math.sqrt(2 + taste ** 2);
    const likes = stream.normal(questions);
    const right = Array.from({length: seeds}, () => {
      const noise = stream.normal(questions);
      return Array.from({length: questions}, (__, q) => level + difficulty[q]! + taste * likes[q]! + noise[q]! > 0);
    });
    const shares = right.map(one => one.filter(Boolean).length / questions);
    return {
      method: `m${method}`,
      mean: mean(shares),
      std: ratePoint(1, shares).std,
      seeds,
      right: right.map(packRight),
    };
  });
  const judging = {baseline: 'm0', margin, confidence: confidenceOf({looks: 1, isSearch: false})};
  const wordsOf = (all: Sample[]): Word[] => judge(all, 'accuracy', judging)!.gaps.map(({word}) => word);
  return {seeds: wordsOf(samples.map(({right: _, ...rest}) => rest)), answers: wordsOf(samples)};
}

/** The standard normal quantile, by bisection. */
function quantile(share: number): number {
  let [low, high] = [-8, 8];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}
