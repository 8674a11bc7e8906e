/** Questions with choices as rows to be scored: every choice behind what is asked, and only the choice counts. */
import {resolve} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import type {DataSettings, EvaluationSettings} from '../../../core/sweep/sweep.ts';
import {chatPromptText} from '../../data/chat.ts';
import type {Dataset} from '../../data/dataset.ts';
import {datasetOf} from '../../data/dataset.ts';
import {checkVocabulary, type EncodingModel, isChat, required, whatEncodes} from '../../data/encode.ts';
import {conversationOf} from '../../data/messages.ts';
import {renamed} from '../../data/read/columns.ts';
import {type Row, rowError} from '../../data/read/row.ts';
import {readRows} from '../../data/read/rows.ts';
import {timedRows} from '../../data/read/timed-rows.ts';
import {textsOf} from '../../data/template.ts';
import {ignored, type TokenRow} from '../../data/token-row.ts';
import {openChatTemplate} from '../../text/chat-template.ts';
import {askedAs} from '../asked.ts';
import {type Choice, questionOf} from './questions.ts';

/** What the rows of a dataset are choices of. */
export interface Choices {
  /** By row of the dataset: its question, and which of its choices it is. */
  question: Int32Array;
  choice: Int32Array;
  /** By row: characters of the choice, without what stands between it and the question. */
  characters: Int32Array;
  /** By question: which choice is right. */
  right: Int32Array;
}

/**
 * The questions of an evaluation's data (relative to `base`), asked in the format and template of the training data; the longest rows
 * first.
 * @throws SweepError `missing-file`, `missing-column`, `bad-data`, `bad-model`, `bad-template`
 */
export async function readChoices(
  evaluation: Pick<EvaluationSettings, 'data' | 'limit' | 'columns'>,
  data: DataSettings,
  base: string,
  model: EncodingModel,
): Promise<{dataset: Dataset; choices: Choices}> {
  const file = resolve(base, evaluation.data);
  const encode = choiceEncoder(data, model);
  const right: number[] = [];
  const all: {tokens: TokenRow; question: number; choice: number; characters: number}[] = [];
  const rows = readRows([file], evaluation.limit);
  const read = (given: Row) => {
    const row = renamed(given, evaluation.columns);
    const question = questionOf(row);
    return {right: question.right, rows: question.choices.map(choice => ({choice, tokens: encode(row, choice)}))};
  };
  for await (const found of timedRows(rows, whatEncodes(data, model), read)) {
    for (const [choice, {tokens, choice: written}] of found.rows.entries())
      all.push({tokens, question: right.length, choice, characters: [...written.answer].length});
    right.push(found.right);
  }
  if (right.length === 0) throw new SweepError('bad-data', `There are no rows in ${file}.`, {file});
  // Rows of like lengths stand together; batches keep this order.
  all.sort((a, b) => b.tokens.ids.length - a.tokens.ids.length);
  const column = (name: 'question' | 'choice' | 'characters') => Int32Array.from(all, one => one[name]);
  return {
    dataset: datasetOf(all.map(({tokens}) => tokens)),
    choices: {
      question: column('question'),
      choice: column('choice'),
      characters: column('characters'),
      right: Int32Array.from(right),
    },
  };
}

/**
 * Question and choice as lm-evaluation-harness encodes them: as one text, of which the tokens behind those of the question alone
 * are scored; white space at the question's end belongs to the choice.
 */
function choiceEncoder(data: DataSettings, model: EncodingModel): (row: Row, choice: Choice) => TokenRow {
  const textBefore = questionText(data, model);
  const tokenizer = required(model.tokenizer);
  const leading = isChat(data) ? [] : tokenizer.leading;
  return (row, choice) => {
    const text = textBefore(row, choice);
    const question = text.trimEnd();
    const [asked, whole] = [question, text + choice.answer].map(one => [
      ...leading,
      ...tokenizer.encode(one, {special: false}),
    ]);
    checkVocabulary(whole!, row, model.config);
    const labels = whole!.map((id, place) => (place < asked!.length ? ignored : id));
    if (asked!.length === 0 || labels.every(label => label === ignored))
      throw rowError(
        'bad-data',
        row,
        `there is no token to score in the choice ${JSON.stringify(choice.answer.slice(0, 40))}.`,
      );
    return {ids: whole!, labels};
  };
}

/** What stands before a choice: the question in the training's format, and a space where training has none of its own. */
function questionText(data: DataSettings, {tokenizer}: EncodingModel): (row: Row, choice: Choice) => string {
  if (data.format === 'text') return (_, {asked}) => withSpace(asked);
  const known = required(tokenizer);
  const wordsOf = (row: Row, {asked, answer}: Choice) => askedAs(row, {asked, expected: answer}, data);
  if (isChat(data)) {
    const chat = {template: openChatTemplate(known.folder, data), tokenizer: known};
    return (row, choice) => {
      const {messages, tools} = conversationOf(wordsOf(row, choice), data);
      return chatPromptText(messages.slice(0, -1), row, chat, tools);
    };
  }
  return (row, choice) => {
    const {prompt} = textsOf(wordsOf(row, choice), data);
    return data.template === 'study' ? prompt : withSpace(prompt);
  };
}

const withSpace = (text: string): string => (/\s$/.test(text) ? text : `${text} `);
