/** What a model chooses: from the log-likelihood of every choice of every question. */
import {packRight} from '../../core/run/verdict/questions.ts';
import type {Choices} from '../task/choices/rows.ts';

/** The choice of each question is the likeliest one, of what is compared: */
const measures = {
  /** the log-likelihood of the whole choice (`acc` of lm-evaluation-harness), */
  accuracy: () => 1,
  /** the same a character (its `acc_norm`), */
  accuracy_norm: (characters: number) => characters,
  /** the same a token. */
  accuracy_token: (_: number, tokens: number) => tokens,
} as const;

export interface ChoiceScore {
  metric: keyof typeof measures;
  value: number;
  correct: number;
  total: number;
  /** Which questions were answered rightly, as in an event. */
  right: string;
}

/**
 * Of likelihoods that are alike the first choice is taken, as the harness does; a question with one that is no number is answered wrongly.
 * @param logLikelihoods by row of the choices
 * @param tokens scored, by row
 */
export function choiceScores(
  {question, choice, characters, right}: Choices,
  logLikelihoods: ArrayLike<number>,
  tokens: ArrayLike<number>,
): ChoiceScore[] {
  return Object.entries(measures).map(([metric, size]) => {
    const best = Array.from(right, () => ({choice: -1, value: Number.NEGATIVE_INFINITY, broken: false}));
    for (let row = 0; row < question.length; row++) {
      const own = best[question[row]!]!;
      const value = logLikelihoods[row]! / size(characters[row]!, tokens[row]!);
      if (Number.isNaN(value)) own.broken = true;
      else if (value > own.value || (value === own.value && choice[row]! < own.choice))
        Object.assign(own, {choice: choice[row]!, value});
    }
    const answered = best.map((own, k) => !own.broken && own.choice === right[k]);
    const correct = answered.filter(Boolean).length;
    return {
      metric: metric as keyof typeof measures,
      ...{value: correct / right.length, correct, total: right.length, right: packRight(answered)},
    };
  });
}
