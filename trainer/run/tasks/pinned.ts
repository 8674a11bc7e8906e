/** What every part of a run does alike: settled by the first one, followed by all others. */
import {hostname} from 'node:os';
import {SweepError} from '../../../core/error.ts';
import type {Pinned} from '../../../core/run/events.ts';
import {type Choice, chooseEngine, type Wish} from '../../engine/choose.ts';
import type {Prepared} from '../prepare.ts';

/** As this machine would have it. */
export function pinnedBy({sweep, size, steps, source}: Prepared, {engine, precision}: Choice): Pinned {
  const sizes = [...new Set(sweep.methods.flatMap(({batchSizes}) => batchSizes))];
  const of = (value: (batchSize: number) => number) => Object.fromEntries(sizes.map(one => [String(one), value(one)]));
  return {engine, precision, recompute: size.recompute, microBatch: of(one => source(one).rows), steps: of(steps)};
}

/**
 * The engine of this machine, which is that of the run.
 * @throws SweepError `cannot-follow` where it cannot be, and as `chooseEngine`
 */
export async function chooseFor(wish: Wish, pinned: Pinned | undefined): Promise<Choice> {
  if (!pinned) return chooseEngine(wish);
  const {engine, precision} = pinned;
  let fault: string;
  try {
    const choice = await chooseEngine({...wish, engine: engine as Wish['engine'], precision});
    if (choice.engine === engine && choice.precision === precision) return choice;
    fault = `here it would be ${choice.engine} in ${choice.precision}`;
  } catch (error) {
    if (!(error instanceof SweepError)) throw error;
    fault = error.message;
  }
  throw new SweepError(
    'cannot-follow',
    `This run was begun on the ${engine} engine in ${precision}, which ${hostname()} cannot have: ${fault.replace(/\.$/, '')}; take a machine like the first one, or start a new run with --out.`,
    {engine, precision},
  );
}

/** @throws SweepError `cannot-follow` where a trial would have other steps here */
export function checkSteps({steps}: Prepared, pinned: Pinned): void {
  for (const [batchSize, number] of Object.entries(pinned.steps)) {
    const here = steps(Number(batchSize));
    if (here !== number)
      throw new SweepError(
        'cannot-follow',
        `This run was planned with ${number} steps at batch size ${batchSize}, and the rows here make ${here}; give it the same data, or start a new run with --out.`,
      );
  }
}
