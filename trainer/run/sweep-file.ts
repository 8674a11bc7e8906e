import {basename, dirname, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {Problem} from '../../core/sweep/problem.ts';
import {readSweep} from '../../core/sweep/read.ts';
import type {CurvatureSettings, Sweep, TrainingSettings} from '../../core/sweep/sweep.ts';
import type {Loading} from '../data/dataset.ts';
import type {Wish} from '../engine/choose.ts';
import type {MatrixSize} from '../engine/measured/compare.ts';
import {storedPrecision} from '../engine/stored-precision.ts';
import {readText} from '../files/door.ts';
import {findModel} from '../model/find-model.ts';
import {openModel} from '../model/open-model.ts';
import type {StoredTensor} from '../weights/safetensors.ts';
import {mostSweepBytes, type Prepared, prepare, type Trainer} from './prepare.ts';

export interface OpenedSweep {
  sweep: Sweep;
  /**
   * `curvature`: probe this way where the sweep file says nothing of it. `loading` hears of the training rows. `choice`:
   * the engine that trains, and the GPU where it runs on one. `seeds`: so many at one rate, at least, are to find room.
   */
  prepare(
    workers: number,
    curvature?: CurvatureSettings,
    loading?: Loading,
    choice?: Trainer,
    seeds?: number,
  ): Promise<Prepared>;
  /** What an engine is chosen by. */
  wish(): Promise<Wish>;
}

/** The text of a sweep file. */
export function readSweepFile(file: string): string {
  try {
    return readText(file, mostSweepBytes);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'is not there' : 'cannot be read';
    throw new SweepError('missing-file', `The sweep file ${file} ${reason}; give the path of a *.sweep.yaml file.`, {
      file,
    });
  }
}

/** One line a problem, as compilers write them: place, severity, what is wrong. */
export function problemLine(file: string, {range, severity, message, code}: Problem): string {
  return `${file}:${range.start.line + 1}:${range.start.character + 1}: ${severity}: ${message} [${code}]`;
}

/**
 * What a sweep file says.
 * @throws SweepError with the first of its errors
 */
export function sweepOf(file: string): Sweep {
  const {sweep, problems} = readSweep(readSweepFile(file), basename(file));
  if (sweep === undefined) {
    const errors = problems.filter(({severity}) => severity === 'error');
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more: lora-sweep check ${file})` : '';
    throw new SweepError(errors[0]!.code, `${problemLine(file, errors[0]!)}${more}`, {problems});
  }
  return sweep;
}

/**
 * Reads a sweep file; `instead` of its sweep another one may be opened in its place. `base`: the folder that its paths start from,
 * where that is not its own.
 * @throws SweepError with the first of its errors
 */
export function openSweep(file: string, instead?: Sweep, base = dirname(resolve(file))): OpenedSweep {
  const sweep = instead ?? sweepOf(file);
  return {
    sweep,
    async wish() {
      const {weights} = await openModel(findModel(sweep.model, base));
      const tensors = [...weights.tensors.values()];
      const {precision} = sweep.training;
      const precisions = precisionsOf(sweep);
      return {...sweep.run, precision, precisions, stored: storedPrecision(tensors), matrices: matricesIn(tensors)};
    },
    prepare: (workers, curvature, loading = {}, choice, seeds) =>
      prepare(curvature ? {curvature, ...sweep} : sweep, base, workers, loading, choice, seeds),
  };
}

/** All precisions that trials of the sweep ask for. */
export function precisionsOf({training, axes}: Sweep): TrainingSettings['precision'][] {
  const several = axes?.['training.precision']?.map(({value}) => value as TrainingSettings['precision']);
  return several ?? [training.precision];
}

/** The matrices of a model by their sizes; embeddings are looked up, and heads multiplied with a part of the rows only. */
function matricesIn(tensors: readonly StoredTensor[]): MatrixSize[] {
  const sizes = new Map<string, MatrixSize>();
  for (const {name, shape} of tensors) {
    const [out, from] = shape;
    if (shape.length !== 2 || !/_proj\.weight$/.test(name)) continue;
    const key = shape.join(' ');
    const {count} = sizes.get(key) ?? {count: 0};
    sizes.set(key, {in: from!, out: out!, count: count + 1});
  }
  return [...sizes.values()];
}
