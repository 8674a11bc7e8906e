/** What a trial answered, to be scored where the tokenizer is. */
export interface Generated {
  trial: string;
  step: number;
  evaluation: number;
  /** New ids: prompt after prompt, the samples of each beside one another. */
  answers: number[][];
}
