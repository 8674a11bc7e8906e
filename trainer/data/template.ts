/** The text around a row: what a row's columns become before they are tokenised. */

import type {DataSettings} from '../../core/sweep/sweep.ts';
import {formats} from '../../core/sweep/table/formats.ts';
import {type Row, textIn} from './read/row.ts';

/** A row as text. */
export interface Texts {
  /** Carries no loss. */
  prompt: string;
  answer: string;
  /** What stands between the answer and the end-of-text token; learnt, but no part of the expected answer. */
  end: string;
}

/**
 * The prompt of Alpaca (Taori et al. 2023), which PiSSA (Meng et al. 2024) and the study trained with; `input` is named
 * in it where the row has one.
 */
function studyPrompt(instruction: string, input: string): string {
  const [context, part] = input
    ? [', paired with an input that provides further context', `\n\n### Input:\n${input}`]
    : ['', ''];
  return `Below is an instruction that describes a task${context}. Write a response that appropriately completes the request.\n\n### Instruction:\n${instruction}${part}\n\n### Response:`;
}

/**
 * Prompt and answer of a row in format instruction or completion.
 * @throws SweepError `missing-column`, `bad-data` with file and line
 */
export function textsOf(row: Row, {format, columns, template}: DataSettings): Texts {
  const {prompt, input, answer} = partsOf(row, {format, columns}, typeof template !== 'object');
  if (typeof template === 'object') {
    const filled = (name: string): string => {
      const column = columnOf(name, {format, columns});
      return formats[format].optional.includes(name) ? inputOf(row, column) : textIn(row, column);
    };
    return {prompt: template.prompt.replaceAll(/\{(\w+)\}/g, (_, name: string) => filled(name)), answer, end: ''};
  }
  if (format === 'completion') return {prompt, answer, end: ''};
  if (template === 'study') return {prompt: studyPrompt(prompt, input), answer, end: '\n'};
  return {prompt: `${prompt}\n${input ? `${input}\n` : ''}`, answer, end: ''};
}

/** What a chat asks and answers in a row of format instruction or completion: further input stands below the question. */
export function askedOf(row: Row, data: DataSettings): {prompt: string; answer: string} {
  const {prompt, input, answer} = partsOf(row, data, true);
  return {prompt: input ? `${prompt}\n${input}` : prompt, answer};
}

/** `asked`: whether the question and its input are wanted, or the answer alone. */
function partsOf(
  row: Row,
  {format, columns}: Pick<DataSettings, 'format' | 'columns'>,
  asked: boolean,
): {prompt: string; input: string; answer: string} {
  const [question, learnt] = format === 'completion' ? ['prompt', 'completion'] : ['instruction', 'output'];
  return {
    answer: textIn(row, columnOf(learnt, {format, columns})),
    prompt: asked ? textIn(row, columnOf(question, {format, columns})) : '',
    input: asked && format === 'instruction' ? inputOf(row, columns['input']) : '',
  };
}

function columnOf(name: string, {format, columns}: Pick<DataSettings, 'format' | 'columns'>): string {
  return columns[name] ?? formats[format].columns[name] ?? name;
}

/** The further input is used only where the sweep file names its column; a row without it, null and the empty text have none. */
function inputOf(row: Row, column: string | undefined): string {
  return column === undefined || (row.values[column] ?? null) === null ? '' : textIn(row, column);
}
