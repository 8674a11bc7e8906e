/** The generated answers of a run with their verdicts, as core/run/samples names their files. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {type SamplesPlace, samplesFolder, samplesName, samplesPlace} from '../../core/run/samples.ts';
import {insideRun, writeWhole} from './errors.ts';

export interface StoredSamples extends SamplesPlace {
  file: string;
  rows: Record<string, unknown>[];
}

export function writeSamples(folder: string, place: SamplesPlace, rows: readonly object[]): void {
  writeWhole(
    join(insideRun(folder, samplesFolder), samplesName(place)),
    rows.map(row => `${JSON.stringify(row)}\n`).join(''),
  );
}

/** Of these trials, in their order, by step and evaluation. */
export function* readSamples(folder: string, trials: readonly string[]): Iterable<StoredSamples> {
  const path = join(folder, samplesFolder);
  const places = (existsSync(path) ? readdirSync(path) : []).flatMap(name => samplesPlace(name) ?? []);
  for (const id of trials) {
    const own = places.filter(({trial}) => trial === id);
    own.sort((a, b) => a.step - b.step || a.evaluation - b.evaluation);
    for (const place of own) {
      const file = join(path, samplesName(place));
      const lines = readFileSync(file, 'utf8').split('\n');
      yield {...place, file, rows: lines.filter(line => line !== '').map(line => JSON.parse(line))};
    }
  }
}
