/** The generated answers of a run with their verdicts, as core/run/samples names their files. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';
import {type SamplesPlace, samplesFolder, samplesName, samplesPlace} from '../../core/run/samples.ts';
import {isRecord} from '../../core/shape.ts';
import {readText} from '../files/door.ts';
import {insideRun, storeError, writeWhole} from '../files/write-whole.ts';

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
      yield {...place, file, rows: rowsIn(file)};
    }
  }
}

/** Bytes of the answers of one evaluation. */
const mostBytes = 256 << 20;

function rowsIn(file: string): Record<string, unknown>[] {
  let text: string;
  try {
    text = readText(file, mostBytes);
  } catch (error) {
    throw storeError(error, file);
  }
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    const row = parsed(line, file);
    if (isRecord(row)) return [row];
    throw new SweepError(
      'bad-data',
      `${file}:${index + 1}: this line is no answer; delete the file to do without it.`,
      {
        file,
      },
    );
  });
}

function parsed(line: string, file: string): unknown {
  try {
    return parseJson(line, file);
  } catch {
    return undefined;
  }
}
