/** The text around a row: what a row's columns become before they are tokenised. */
import {formats} from '../../core/sweep/formats.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {columnIn, type Row, textIn} from './row.ts';

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
  const column = (name: string): string => columns[name] ?? formats[format].columns[name] ?? name;
  const [asked, learnt] = format === 'completion' ? ['prompt', 'completion'] : ['instruction', 'output'];
  const answer = textIn(row, column(learnt));
  if (typeof template === 'object') {
    const prompt = template.prompt.replaceAll(/\{(\w+)\}/g, (_, name: string) => textIn(row, column(name)));
    return {prompt, answer, end: ''};
  }
  const prompt = textIn(row, column(asked));
  if (format === 'completion') return {prompt, answer, end: ''};
  const input = inputOf(row, columns['input']);
  if (template === 'study') return {prompt: studyPrompt(prompt, input), answer, end: '\n'};
  return {prompt: `${prompt}\n${input ? `${input}\n` : ''}`, answer, end: ''};
}

/** The further input is used only where the sweep file names its column; null and the empty text are none. */
function inputOf(row: Row, column: string | undefined): string {
  return column === undefined || columnIn(row, column) === null ? '' : textIn(row, column);
}
