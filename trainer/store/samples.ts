/** The generated answers of a run with their verdicts: `samples/<trial>-<step>-<evaluation>.jsonl`, a line an answer. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

export const samplesFolder = 'samples';

/** Relative to the run folder. `evaluation`: its place in the sweep file's list, from 0. */
export function samplesFile(trial: string, step: number, evaluation: number): string {
  return join(samplesFolder, `${trial}-${step}-${evaluation}.jsonl`);
}

export interface StoredSamples {
  trial: string;
  step: number;
  evaluation: number;
  rows: Record<string, unknown>[];
}

/** Of these trials, in their order, by step and evaluation. */
export function* readSamples(folder: string, trials: readonly string[]): Iterable<StoredSamples> {
  const path = join(folder, samplesFolder);
  const names = existsSync(path) ? readdirSync(path) : [];
  for (const trial of trials) {
    const own = names.flatMap(name => {
      const [, step, evaluation] = name.startsWith(`${trial}-`)
        ? (/^(\d+)-(\d+)\.jsonl$/.exec(name.slice(trial.length + 1)) ?? [])
        : [];
      return step === undefined ? [] : [{name, step: Number(step), evaluation: Number(evaluation)}];
    });
    own.sort((a, b) => a.step - b.step || a.evaluation - b.evaluation);
    for (const {name, step, evaluation} of own) {
      const lines = readFileSync(join(path, name), 'utf8').split('\n');
      yield {trial, step, evaluation, rows: lines.filter(line => line !== '').map(line => JSON.parse(line))};
    }
  }
}
