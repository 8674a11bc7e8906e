/** Where a run folder keeps generated answers with their verdicts, `samples/<trial>-<step>-<evaluation>.jsonl`, and what a line of them says. */
import {parseJson} from '../json.ts';
import {flag, number, optional, orNull, record, text} from '../shape.ts';

export const samplesFolder = 'samples';

export interface SamplesPlace {
  trial: string;
  step: number;
  /** Its place in the sweep file's list, from 0. */
  evaluation: number;
}

/** The name of a file in the folder. */
export function samplesName({trial, step, evaluation}: SamplesPlace): string {
  return `${trial}-${step}-${evaluation}.jsonl`;
}

/** What a file is of; undefined for files of other names. */
export function samplesPlace(name: string): SamplesPlace | undefined {
  const [, trial, step, evaluation] = /^(.+)-(\d+)-(\d+)\.jsonl$/.exec(name) ?? [];
  return trial === undefined ? undefined : {trial, step: Number(step), evaluation: Number(evaluation)};
}

/** By trial, the last step first. */
export function byTrialLatestFirst(a: SamplesPlace, b: SamplesPlace): number {
  return a.trial.localeCompare(b.trial) || b.step - a.step || a.evaluation - b.evaluation;
}

/** One answer, as far as it is shown. */
export interface Answer {
  row: number;
  sample: number;
  /** At the first answer to a row; absent in what earlier versions stored. */
  prompt?: string;
  output: string;
  expected: string | null;
  extracted: string | null;
  verdict: boolean | number;
  reason?: string;
}

const shape = record({
  row: number,
  sample: number,
  prompt: optional(text),
  output: text,
  expected: orNull(text),
  extracted: orNull(text),
  verdict: value => flag(value) || number(value),
  reason: optional(text),
});

/** The answers of a samples file, and how many of its lines are none. */
export function readAnswers(lines: string): {answers: Answer[]; lost: number} {
  const kept = lines.split('\n').filter(line => line !== '');
  const answers = kept.flatMap(line => answerIn(line) ?? []);
  return {answers, lost: kept.length - answers.length};
}

function answerIn(line: string): Answer | undefined {
  try {
    const value = parseJson(line, 'a line');
    return isAnswer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isAnswer(value: unknown): value is Answer {
  return shape(value);
}

/** `right`, `wrong` or `score 0.5`. */
export function verdictInWords(verdict: Answer['verdict']): string {
  return typeof verdict === 'number' ? `score ${verdict}` : verdict ? 'right' : 'wrong';
}
