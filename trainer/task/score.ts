/** Judging generated answers. */
import type {Evaluated} from '../../core/run/events.ts';
import type {Generated} from '../evaluate.ts';
import type {Prepared} from '../prepare.ts';

/** Exact match: the answer is the expected one, white space around it aside; token by token where there is no text. */
export function scoreAnswers(
  {prompts, tokenizer, model}: Pick<Prepared, 'prompts' | 'tokenizer' | 'model'>,
  {trial, step, evaluation, answers}: Generated,
): Evaluated {
  const expected = prompts.get(evaluation)!;
  const correct = answers.filter((ids, i) => {
    const {answer, answerIds} = expected[i]!;
    const said = ids.filter(id => !model.config.eosIds.includes(id));
    if (answer === null || !tokenizer)
      return said.length === answerIds.length && said.every((id, k) => id === answerIds[k]);
    return tokenizer.decode(said, {skipSpecial: true}).trim() === answer.trim();
  }).length;
  const total = expected.length;
  return {
    event: 'evaluation',
    trial,
    step,
    task: 'exact-match',
    metric: 'accuracy',
    value: correct / total,
    correct,
    total,
  };
}
