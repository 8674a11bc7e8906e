/** What a sweep will take, judged from its first rows. */
import {availableParallelism} from 'node:os';
import {trainedParameters} from '../../core/method/parameters.ts';
import type {Cost, Results} from '../../core/sweep/inspection.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';
import {stepsOf} from '../data/order.ts';
import {type BatchShape, paddedShape, rowsOf} from '../data/shapes.ts';
import {startsFromGradients} from '../method/index.ts';
import type {BaseModel} from '../model/open-model.ts';
import type {Site} from '../model/site.ts';
import {weightCount} from '../model/weights.ts';
import {stepFlops} from '../size/flops.ts';
import {adaptedBytes, microBatchFor, partOf, planMemory, recomputes} from '../size/memory.ts';
import {mergeLimit, sharedNumbers} from '../size/training-size.ts';
import {lastSpeed} from '../store/speed.ts';
import {shapesOf} from '../training/sources.ts';
import type {SampledRow} from './rows.ts';

/**
 * Steps, time by the last measured speed, and memory of a sweep with `rows` training rows that look like `sample`.
 * @throws SweepError `no-memory`
 */
export function costOf(
  {sweep, trials, model, sites}: {sweep: Sweep; trials: Trial[]; model: BaseModel; sites: Site[]},
  {rows, sample}: {rows: number; sample: readonly SampledRow[]},
  results: Results | null,
): Cost {
  const {config, weights} = model;
  const {data, training, run} = sweep;
  const cut = sample.map(row => ({...row, length: Math.min(row.length, data.maxLength)}));
  const mean = (of: (row: SampledRow) => number) =>
    cut.reduce((sum, row) => sum + of(row), 0) / Math.max(1, cut.length);
  const cores = run.workers === 'auto' ? availableParallelism() : run.workers;
  const parameters = (trial: Trial) => trainedParameters(trial, sites, weightCount(config));
  const kept = {
    config,
    weights,
    sites,
    rank: Math.max(...trials.map(({rank}) => rank)),
    merged: adaptedBytes(sites) <= mergeLimit,
    dropout: training.dropout > 0,
    parameters: Math.max(...trials.map(parameters)),
    shared: sharedNumbers(sweep.methods, sites),
    gradients: sweep.methods.some(({method}) => startsFromGradients(method)),
    // What is evaluated is not read here.
    evaluating: {bytes: 0, programs: 0},
  };
  const batchSizes = [...new Set(trials.map(({batchSize}) => batchSize))];
  const {microBatch} = training;
  const asked = batchSizes.map(batchSize => {
    const whole = batchShapes(cut, batchSize);
    return microBatch === 'auto' || microBatch >= batchSize ? whole : whole.map(step => partOf(step, microBatch));
  });
  const size = {...kept, recompute: recomputes(training.checkpoint, kept, asked, {workers: cores, trials: 1})};
  const bytes = asked.map(whole => {
    const rows = microBatch === 'auto' ? microBatchFor(size, whole, cores) : microBatch;
    const steps = whole.map(step => (rowsOf(step) > rows ? partOf(step, rows) : step));
    return planMemory(size, steps, 1, trials.length, run.workers, cores).bytes;
  });
  const speed = lastSpeed();
  const done = new Set(results?.done);
  const flops = trials.reduce((sum, trial) => {
    if (done.has(trial.id)) return sum;
    const {batchSize} = trial;
    const average = paddedShape(
      batchSize,
      mean(row => row.length),
      batchSize * mean(row => row.targets),
    );
    return sum + stepsOf(rows, batchSize, training) * stepFlops(config, average, parameters(trial));
  }, 0);
  return {
    steps: Object.fromEntries(batchSizes.map(batchSize => [batchSize, stepsOf(rows, batchSize, training)])),
    seconds: speed === null ? null : flops / speed,
    bytes: Math.max(...bytes),
  };
}

/** Shapes of batches of rows like these, in the order they come. */
function batchShapes(rows: readonly SampledRow[], batchSize: number): BatchShape[] {
  const batches = Array.from({length: Math.max(1, Math.ceil(rows.length / batchSize))}, (_, i) => {
    // Fewer rows than a batch has come more than once.
    const own = Array.from({length: batchSize}, (_, row) => rows[(i * batchSize + row) % Math.max(1, rows.length)]);
    return {
      lengths: own.map(row => row?.length ?? 1).sort((a, b) => b - a),
      tokens: own.reduce((sum, row) => sum + (row?.length ?? 1), 0),
      targets: Math.max(
        1,
        own.reduce((sum, row) => sum + (row?.targets ?? 1), 0),
      ),
    };
  });
  return shapesOf(batches, batchSize);
}
