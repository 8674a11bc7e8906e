/** Where a run folder keeps generated answers with their verdicts: `samples/<trial>-<step>-<evaluation>.jsonl`, a line an answer. */

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
