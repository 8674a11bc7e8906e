/** What every part of a run does alike: settled by the first one, followed by all others. */
import {hostname} from 'node:os';
import {SweepError} from '../../../core/error.ts';
import type {Pinned} from '../../../core/run/events.ts';
import {stepsKey} from '../../../core/sweep/axes/axes.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {chooseEngines} from '../../engine/choices.ts';
import {type Choice, chooseEngine, type Wish} from '../../engine/choose.ts';
import type {Prepared} from '../prepare.ts';
import {stepsByKey} from '../work.ts';

/** As this machine would have it. */
export function pinnedBy(prepared: Prepared, {engine, precision, gpu, further}: Choice): Pinned {
  const trials = expandTrials(prepared.sweep);
  const rows = trials.map(trial => [stepsKey(trial), prepared.of(trial).source(trial.batchSize).rows]);
  return {
    engine,
    precision,
    ...(further && {further: Object.fromEntries([...further].map(([asked, own]) => [asked, settled(own)]))}),
    ...(engine === 'compiled' && {device: gpu ? 'gpu' : 'cpu'}),
    recompute: trials.some(trial => prepared.of(trial).size.recompute),
    microBatch: Object.fromEntries(rows),
    steps: stepsByKey(prepared, trials),
  };
}

const settled = ({engine, precision}: Choice): Pick<Pinned, 'engine' | 'precision'> => ({engine, precision});

/**
 * The engine of this machine, which is that of the run.
 * @throws SweepError `cannot-follow` where it cannot be, and as `chooseEngines`
 */
export async function chooseFor(wish: Wish, pinned: Pinned | undefined): Promise<Choice> {
  if (!pinned) return chooseEngines(wish);
  if (pinned.provisional) throw notSettled(pinned);
  return chooseEngines(wish, one => choosePinned(one, {...pinned, ...pinned.further?.[one.precision]}));
}

/** For one precision. */
async function choosePinned(wish: Wish, pinned: Pinned): Promise<Choice> {
  const {engine, precision, device = wish.device} = pinned;
  let fault: string;
  try {
    const choice = await chooseEngine({...wish, engine: engine as Wish['engine'], precision, device});
    if (choice.engine === engine && choice.precision === precision) return choice;
    fault = `here it would be ${choice.engine} in ${choice.precision}`;
  } catch (error) {
    if (!(error instanceof SweepError)) throw error;
    fault = error.message;
  }
  throw new SweepError(
    'cannot-follow',
    `This run was begun on the ${engine} engine${device === 'gpu' ? ' on a GPU' : ''} in ${precision}, which ${hostname()} cannot have: ${fault.replace(/\.$/, '')}; take a machine like the first one, or start a new run with --out.`,
    {engine, precision},
  );
}

/** What is asked for, or, where this machine lacks that, what it has: that is `provisional`. */
export async function chooseForNow(wish: Wish): Promise<{choice: Choice; provisional: boolean}> {
  try {
    return {choice: await chooseEngines(wish), provisional: false};
  } catch (error) {
    if (!(error instanceof SweepError)) throw error;
    return {
      choice: await chooseEngine({...wish, engine: 'auto', device: 'auto', precision: 'auto'}),
      provisional: true,
    };
  }
}

function notSettled({engine, precision}: Pinned): SweepError {
  return new SweepError(
    'cannot-follow',
    `This run was planned for the ${engine} engine in ${precision} where what its sweep file asks for could not be had, and was settled nowhere since; the job that prepares does that, and its log says what kept it.`,
  );
}

/** @throws SweepError `cannot-follow` where a trial would have other steps here */
export function checkSteps(prepared: Prepared, pinned: Pinned): void {
  for (const trial of expandTrials(prepared.sweep)) {
    const {batchSize} = trial;
    const number = pinned.steps[stepsKey(trial)];
    const here = prepared.of(trial).steps(batchSize);
    if (number !== undefined && here !== number)
      throw new SweepError(
        'cannot-follow',
        `This run was planned with ${number} steps at batch size ${batchSize}, and the rows here make ${here}; give it the same data, or start a new run with --out.`,
      );
  }
}
