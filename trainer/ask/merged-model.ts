/** A base model with an adapter merged into it, as a model folder that transformers loads. */
import {SweepError} from '../../core/error.ts';
import {chooseEngine, inFloat32} from '../engine/choose.ts';
import type {BaseModel} from '../model/open-model.ts';
import {allocatedCores} from '../process/allocation.ts';
import type {Failure} from '../run/jobs.ts';
import {openPool} from '../run/pool.ts';
import {writeModelFolder} from '../store/model-folder.ts';

export interface MergeOptions {
  base: BaseModel;
  adapter: string;
  target: string;
  /** The text of README.md. */
  card: string;
  progress(done: number, total: number): void;
}

/**
 * Writes the base with an adapter merged into it to `target`, one matrix at a time in memory.
 * @throws SweepError as `writeModelFolder`, and `bad-adapter`, `out-of-range`
 */
export function writeMergedModel({base, adapter, target, card, progress}: MergeOptions): Promise<void> {
  const change = (folder: string) => mergeOnWorker(base, adapter, folder, progress);
  return writeModelFolder({weights: base.weights, target, card, change});
}

async function mergeOnWorker(
  base: BaseModel,
  adapter: string,
  folder: string,
  progress: MergeOptions['progress'],
): Promise<void> {
  const {engine, precision} = await chooseEngine({...inFloat32, engine: 'auto'});
  const pool = openPool(1, {base, engine, precision, threads: allocatedCores()});
  try {
    let failure: Failure | undefined;
    await pool.run([{kind: 'merge', adapter, folder}], {
      event: event => {
        if (event.event === 'prepared') progress(event.done, event.total);
      },
      generated: () => {},
      ended: (_, fault) => {
        failure = fault;
      },
    });
    if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
  } finally {
    await pool.close();
  }
}
