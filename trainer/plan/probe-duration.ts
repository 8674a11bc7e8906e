/** How long the curvature probes of a sweep will take: a few iterations of one block over one batch, counted up. */
import {emptyRun} from '../../core/run/fold.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import type {ProbeJob} from '../curvature/probe.ts';
import {allocatedCores} from '../process/allocation.ts';
import type {Pool} from '../run/pool.ts';
import {planProbes, trainingProbes, usualIterations} from '../run/probing.ts';
import type {UnderWay} from '../run/under-way.ts';

const [few, more] = [2, 8];

/** Seconds on the pool's workers, probes on the way of the training included; 0 where the sweep asks for none. */
export async function timeProbing(
  pool: Pool,
  {prepared, choice}: Pick<UnderWay, 'prepared' | 'choice'>,
  trials: Trial[],
  workers: number,
): Promise<number> {
  const {curvature} = prepared.sweep;
  if (!curvature) return 0;
  const {jobs} = planProbes({prepared, choice}, {...curvature, at: [0]}, trials, () => false, allocatedCores());
  // A layer in the middle: a product runs from its block to the last layer.
  const middle = jobs[jobs.length >> 1];
  if (middle === undefined) return 0;
  const {source} = middle;
  const one: ProbeJob = {
    ...middle,
    point: 'timing',
    source: {...source, order: source.order.subarray(0, source.rows)},
    blocks: middle.blocks.slice(0, 1),
    tolerance: 0,
  };
  const seconds = async (maxIterations: number): Promise<number> => {
    const began = performance.now();
    const probes = Array.from({length: workers}, () => ({kind: 'probe' as const, job: {...one, maxIterations}}));
    await pool.run(probes, {event: () => {}, generated: () => {}, ended: () => {}});
    return (performance.now() - began) / 1000;
  };
  // The first time compiles.
  const opening = await seconds(few);
  const short = await seconds(few);
  const perIteration = Math.max(0, ((await seconds(more)) - short) / (more - few));
  const iterations = Math.min(usualIterations, curvature.maxIterations);
  const batches = Math.ceil(source.order.length / source.rows);
  const starts = curvature.at.includes(0) ? jobs.reduce((sum, job) => sum + job.blocks.length, 0) : 0;
  const later = trials.reduce((sum, trial) => {
    const {steps = [], places = []} = trainingProbes(prepared, [trial], emptyRun).curvature ?? {};
    return sum + steps.length * places.length;
  }, 0);
  return Math.max(0, opening - short) + ((starts + later) * batches * iterations * perIteration) / workers;
}
