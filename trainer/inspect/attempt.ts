/** Errors of reading files, turned into faults of a sweep file. */
import {SweepError} from '../../core/error.ts';
import type {Fault} from '../../core/sweep/inspection.ts';
import {type ProblemCode, problemCodes} from '../../core/sweep/problem.ts';

type Path = (string | number)[];

/** What an error says of a sweep file depends on what was read: the model, an adapter or data. */
const codes: Readonly<Record<string, Partial<Record<'model' | 'adapter' | 'data', ProblemCode>>>> = {
  'missing-file': {model: 'model/missing', adapter: 'model/bad-adapter', data: 'data/missing-file'},
  'bad-model': {model: 'model/bad', data: 'model/bad'},
  'bad-data': {adapter: 'model/bad-adapter', data: 'data/bad-rows'},
  'missing-column': {data: 'data/missing-column'},
  'bad-template': {data: 'data/bad-template'},
  'unknown-architecture': {model: 'model/unsupported'},
  'unknown-target': {model: 'model/unknown-target'},
  'rank-too-large': {model: 'model/rank-too-large'},
  'bad-blocks': {adapter: 'model/bad-blocks'},
  'no-memory': {model: 'resource/memory'},
};

function codeOf({code}: SweepError, [key]: Path): ProblemCode {
  const kind =
    key === 'data' || key === 'evaluate' || key === 'curvature' ? 'data' : key === 'methods' ? 'adapter' : 'model';
  const other = kind === 'data' ? 'data/bad-rows' : kind === 'adapter' ? 'model/bad-adapter' : 'model/bad';
  return codes[code]?.[kind] ?? problemCodes.find(known => known === code) ?? other;
}

/** Collects what goes wrong, each under the key of the sweep file that led to it. */
export class Attempts {
  readonly faults: Fault[] = [];

  /** The work's result; undefined where it failed with a fault. `instead` is offered in place of the faulty value. */
  async attempt<T>(path: Path, work: () => T | Promise<T>, instead?: () => string | undefined): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SweepError)) throw error;
      const better = instead?.();
      const {fetch} = error.data;
      this.faults.push({
        ...{code: codeOf(error, path), message: error.message, path},
        ...(better !== undefined && {instead: better}),
        ...(typeof fetch === 'string' && {fetch}),
      });
      return undefined;
    }
  }
}
