/** What a sweep will take, judged from its first rows. */
import {trainedParameters} from '../../core/method/parameters.ts';
import {mean} from '../../core/numbers.ts';
import {expectedShare, searchExpectation} from '../../core/search/expectation.ts';
import {plainOf, stepsKey} from '../../core/sweep/axes/axes.ts';
import type {Cost, Results} from '../../core/sweep/inspection.ts';
import type {Sweep, TrainingSettings, Trial} from '../../core/sweep/sweep.ts';
import {stepsOf} from '../data/order.ts';
import {type BatchShape, beginningOf, paddedShape, rowsOf} from '../data/shapes.ts';
import {expectedNative} from '../engine/expected.ts';
import {storedPrecision} from '../engine/stored-precision.ts';
import type {BaseModel} from '../model/open-model.ts';
import type {Site} from '../model/site.ts';
import {weightCount} from '../model/weights.ts';
import {allocatedCores} from '../process/allocation.ts';
import {stepFlops} from '../size/flops.ts';
import {heaviest, partOf, planMemory, trialsThatFit} from '../size/memory.ts';
import {rowsAtATime, sizeOfTraining, withRecompute} from '../size/training-size.ts';
import {plannedSeconds} from '../store/planned-time.ts';
import {speedNear} from '../store/speed.ts';
import {type Evaluation, evaluationMemory} from '../training/evaluation.ts';
import {shapesOf} from '../training/sources.ts';
import type {SampledRow} from './rows.ts';

/** What was seen of the rows, and how many tokens all of them begin with. */
interface SeenRows {
  rows: number;
  sample: readonly SampledRow[];
  beginning: number;
  evaluations: readonly Evaluation[];
}

/**
 * Steps, time as `plan` measured it or else by the speed of trainings like these, and memory of a sweep with `rows` training rows that
 * look like `sample`. `base`: the folder that the sweep's paths start from.
 * @throws SweepError `no-memory`
 */
export function costOf(
  {sweep, base, trials, model, sites}: {sweep: Sweep; base: string; trials: Trial[]; model: BaseModel; sites: Site[]},
  {rows, sample, evaluations, beginning: alike}: SeenRows,
  results: Results | null,
): Cost {
  const {data, run} = sweep;
  const training = strictestOf(sweep, trials);
  const stepsFor = (trial: Trial): number => {
    const plain = plainOf(sweep, trial);
    return stepsOf(Math.min(rows, plain.data.rows ?? rows), trial.batchSize, plain.training);
  };
  const cut = sample.map(row => ({...row, length: Math.min(row.length, data.maxLength)}));
  // As in a run: with dropout every row has its own; a row that is cut keeps something behind it.
  const shortest = cut.reduce((least, {length}) => Math.min(least, length), Number.POSITIVE_INFINITY);
  const beginning = training.dropout > 0 ? 0 : Math.max(0, Math.min(alike, shortest - 2));
  const average = (of: (row: SampledRow) => number) => mean(cut.length > 0 ? cut.map(of) : [0]);
  const room = {workers: run.workers === 'auto' ? allocatedCores() : run.workers};
  const batchSizes = [...new Set(trials.map(({batchSize}) => batchSize))];
  const wholes = new Map(batchSizes.map(batchSize => [batchSize, batchShapes(cut, batchSize, beginning)]));
  const evaluating = evaluationMemory(model.config, evaluations);
  const stored = storedPrecision(model.weights.tensors.values());
  const native = expectedNative({...run, precision: training.precision, stored});
  const size = withRecompute(
    sizeOfTraining({...sweep, training}, model, sites, evaluating, native),
    {...sweep, training},
    wholes,
    room,
  );
  const kinds = [...wholes].map(([batchSize, whole]) => {
    const rows = rowsAtATime(size, training, batchSize, whole, room);
    return whole.map(step => (rowsOf(step) > rows ? partOf(step, rows) : step));
  });
  const largest = heaviest(size, kinds);
  const pack = Math.min(run.pack === 'auto' ? 1 : run.pack, trialsThatFit(size, largest));
  const packs = Math.ceil(trials.length / pack);
  const {bytes} = planMemory(size, largest, pack, packs, run.workers, room.workers);
  const done = new Set(results?.done);
  const flopsOf = (trial: Trial) => {
    const {batchSize} = trial;
    const shape = averageShape(wholes.get(batchSize)!, {
      rows: batchSize,
      length: average(row => row.length),
      targets: batchSize * average(row => row.targets),
    });
    const parameters = trainedParameters(trial, sites, weightCount(model.config));
    return stepsFor(trial) * stepFlops(model.config, shape, parameters);
  };
  const flops = (of: readonly Trial[]) => of.reduce((sum, trial) => sum + flopsOf(trial), 0);
  const steps = Object.fromEntries(trials.map(trial => [stepsKey(trial), stepsFor(trial)]));
  const expectation = searchExpectation(sweep, trials, steps);
  const share = expectation ? expectedShare(expectation) : 1;
  const whole = flops(trials);
  const left = Math.max(0, share * whole - flops(trials.filter(({id}) => done.has(id))));
  const planned = plannedSeconds({sweep, base, folder: model.folder});
  const allSteps = trials.reduce((sum, trial) => sum + steps[stepsKey(trial)]!, 0);
  const speed = planned === null ? speedNear(whole / allSteps) : whole / planned;
  return {steps, seconds: speed === null ? null : left / speed, bytes};
}

/** The training that takes the most memory: with dropout where any has some. */
function strictestOf(sweep: Sweep, trials: readonly Trial[]): TrainingSettings {
  const all = trials.map(trial => plainOf(sweep, trial).training);
  return all.find(({dropout}) => dropout > 0) ?? all[0] ?? sweep.training;
}

/** A batch whose rows are all of the average length, without padding, that shares what these shapes share. */
function averageShape(
  shapes: readonly BatchShape[],
  {rows, length, targets}: {rows: number; length: number; targets: number},
): BatchShape {
  const beginning = beginningOf(shapes);
  const own = paddedShape(rows, length - beginning, targets);
  return beginning === 0 ? own : {...own, tokens: own.tokens + beginning, beginning};
}

/** Shapes of batches of rows like these, in the order they come. */
function batchShapes(rows: readonly SampledRow[], batchSize: number, beginning: number): BatchShape[] {
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
  return shapesOf(batches, batchSize, beginning);
}
