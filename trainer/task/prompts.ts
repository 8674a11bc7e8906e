/** Rows to be answered: for evaluation by greedy generation. */
import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {DataSettings, EvaluationSettings, TaskName} from '../../core/sweep/sweep.ts';
import {markOfTurn, type TurnEnd} from '../data/answer-ends.ts';
import {chatPrompt} from '../data/chat.ts';
import {
  checkVocabulary,
  type EncodingModel,
  isChat,
  promptIds,
  required,
  tokensIn,
  whatEncodes,
} from '../data/encode.ts';
import {type Conversation, conversationOf} from '../data/messages.ts';
import {columnsToEvaluate, readAs, renamed} from '../data/read/columns.ts';
import {type Row, rowError} from '../data/read/row.ts';
import {readRows} from '../data/read/rows.ts';
import {timedRows} from '../data/read/timed-rows.ts';
import {textsOf} from '../data/template.ts';
import {ignored} from '../data/token-row.ts';
import {isObject} from '../files/json-file.ts';
import {textBefore} from '../generation/stopping.ts';
import {type ChatTemplate, type Message, openChatTemplate} from '../text/chat-template.ts';
import {askedAs} from './asked.ts';
import {tasks} from './tasks.ts';

export interface Prompt {
  ids: number[];
  /** The expected text; null for format tokens without a tokenizer. */
  answer: string | null;
  /** The answer as the chat template writes it, and as it is learnt, where that is more than the answer (empty thoughts). */
  written?: string;
  /** The expected tokens without the end-of-text token; tokenised by itself where the row is text. */
  answerIds: number[];
  /** As it was read, where the task judges by more than the answer. */
  row?: Row;
}

/**
 * The prompts of an evaluation's data (relative to `base`) in the format, columns and template of the training data;
 * at most `limit`. `ends`: ids that end an answer and are no part of it.
 * @throws SweepError `missing-file`, `missing-column`, `bad-data`, `bad-model`, `bad-template`
 */
export async function readPrompts(
  evaluation: Pick<EvaluationSettings, 'data' | 'limit' | 'columns'> & {task?: TaskName},
  data: DataSettings,
  base: string,
  model: EncodingModel,
  ends: readonly number[] = model.config.eosIds,
  note: (message: string) => void = () => {},
): Promise<Prompt[]> {
  const file = resolve(base, evaluation.data);
  const task = evaluation.task && tasks[evaluation.task];
  const keepsRow = task !== undefined || evaluation.task === 'custom';
  // A task's rows become rows of the training; all others are rows as those, perhaps with other columns.
  const read = promptReader(task ? data : readAs(evaluation, data), model, ends);
  const prompts: Prompt[] = [];
  const left = new Map<string, number[]>();
  const prompt = (given: Row): Prompt | null => {
    const row = task ? renamed(given, evaluation.columns) : given;
    const why = task?.leftOut?.(row) ?? null;
    if (why !== null) {
      left.set(why, [...(left.get(why) ?? []), row.line]);
      return null;
    }
    const asked = read(task ? askedAs(row, {asked: task.asked(row), expected: task.expected(row)}, data) : row);
    checkVocabulary(asked.ids, row, model.config);
    return {...asked, ...(keepsRow ? {row} : {})};
  };
  for await (const one of timedRows(
    readRows([file], evaluation.limit, columnsToEvaluate(evaluation, data)),
    whatEncodes(data, model),
    prompt,
  ))
    if (one) prompts.push(one);
  const without = leftOutInWords(evaluation, left, prompts.length);
  if (without) note(without);
  if (prompts.length === 0) throw new SweepError('bad-data', without ?? `There are no rows in ${file}.`, {file});
  return prompts;
}

/** Lines that are named of each reason. */
const namedLines = 20;

/** Which rows are not asked, and why; undefined where all are. */
function leftOutInWords(
  {task, data}: Pick<EvaluationSettings, 'data'> & {task?: TaskName},
  left: ReadonlyMap<string, readonly number[]>,
  asked: number,
): string | undefined {
  if (left.size === 0) return undefined;
  const parts = [...left].map(([why, lines]) => {
    const more = lines.length > namedLines ? `, … ${lines.length} in all` : '';
    return `${lines.slice(0, namedLines).join(', ')}${more} (${why})`;
  });
  const count = [...left.values()].reduce((sum, lines) => sum + lines.length, 0);
  return `${task}: ${count} of ${count + asked} rows of ${data} are left out, as they cannot be judged here: lines ${parts.join('; ')}.`;
}

function promptReader(
  data: DataSettings,
  {tokenizer, config}: EncodingModel,
  ends: readonly number[],
): (row: Row) => Prompt {
  if (data.format === 'text') {
    throw new SweepError(
      'bad-data',
      'Data of format text has no answers to be matched; evaluate it with the task loss, or use format completion or instruction.',
    );
  }
  if (data.format === 'tokens') {
    return row => {
      const {ids, labels} = tokensIn(row, config.vocabSize);
      const first = labels.findIndex(label => label !== ignored);
      if (first < 1)
        throw rowError('bad-data', row, 'the row has no prompt followed by labels, so there is nothing to match.');
      const learnt = labels.slice(first).filter(label => label !== ignored);
      const answerIds = ends.includes(learnt.at(-1)!) ? learnt.slice(0, -1) : learnt;
      const prompt = ids.slice(0, first);
      const answer = tokenizer?.decode(answerIds, {skipSpecial: true, after: prompt}) ?? null;
      return {ids: prompt, answer, answerIds};
    };
  }
  const known = required(tokenizer);
  if (isChat(data)) {
    const chat = {template: openChatTemplate(known.folder, data), tokenizer: known};
    const ending = markOfTurn(chat.template, known);
    return row => {
      const {messages, tools} = conversationOf(row, data);
      const last = messages.at(-1)!;
      if (last.role !== 'assistant')
        throw rowError('bad-data', row, 'the last message is not of the assistant, so there is no answer to match.');
      const answer = textOf(last, row);
      return {
        ids: chatPrompt(messages.slice(0, -1), row, chat, tools),
        answer,
        ...writtenAnswer({messages, tools, answer}, chat.template, ending),
        answerIds: known.encode(answer, {special: false}),
      };
    };
  }
  return row => {
    const {prompt, answer} = textsOf(row, data);
    return {ids: promptIds(prompt, known), answer, answerIds: known.encode(answer, {special: false})};
  };
}

/** The text of an answer: what an output is matched with. */
function textOf({content, tool_calls: calls}: Message, row: Row): string {
  const parts = Array.isArray(content) ? content.map(part => (isObject(part) ? part['text'] : part)).join('') : content;
  if (typeof parts === 'string' && calls === undefined) return parts;
  throw rowError('bad-data', row, 'the last message calls tools, which is no text to match.');
}

/** What stands between the prompt and the mark that ends the turn. */
function writtenAnswer(
  {
    messages,
    tools,
    answer,
  }: Pick<Conversation, 'messages'> & {tools: Conversation['tools'] | undefined; answer: string},
  template: ChatTemplate,
  {texts, token}: TurnEnd,
): Pick<Prompt, 'written'> {
  try {
    const prompt = template.render(messages.slice(0, -1), {generationPrompt: true, tools});
    const whole = template.render(messages, {tools});
    if (!whole.startsWith(prompt)) return {};
    const written = textBefore(whole.slice(prompt.length), [...texts, ...(token === undefined ? [] : [token])]);
    return written.trim() === answer.trim() ? {} : {written};
  } catch {
    // Only the prompt has to be written.
    return {};
  }
}
