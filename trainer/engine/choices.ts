/** The engines of a sweep that compares precisions: each precision has one of its own. */
import {SweepError} from '../../core/error.ts';
import {type Choice, chooseEngine, type Wish} from './choose.ts';

/**
 * The engine for each precision that is asked for; the first one's stands for all where there is one. What is compared runs on one kind
 * of device: where one of them cannot be had on the GPU, all of them take the CPU.
 * @param choose for one precision
 * @throws SweepError `no-gpu`, and as `choose`
 */
export async function chooseEngines(
  wish: Wish,
  choose: (wish: Wish) => Promise<Choice> = chooseEngine,
): Promise<Choice> {
  const {precisions = [], ...one} = wish;
  if (precisions.length < 2) return choose(one);
  const further = new Map<Wish['precision'], Choice>();
  for (const precision of precisions) further.set(precision, await choose({...one, precision}));
  const all = [...further.values()];
  const [first] = all as [Choice];
  if (new Set(all.map(isOnGpu)).size > 1) {
    if (one.device === 'auto') return chooseEngines({...wish, device: 'cpu'}, choose);
    const names = [...further].map(([precision, {engine}]) => `${precision} on the ${engine} engine`);
    throw new SweepError(
      'no-gpu',
      `training.precision lists ${names.join(' and ')}, of which only one can be had on a GPU; set run.device to cpu, or leave one of them out.`,
    );
  }
  const reason = [...further].map(([precision, own]) => `in ${precision} ${own.reason}`).join('; ');
  return {...first, reason, further};
}

const isOnGpu = ({engine, gpu}: Choice): boolean => gpu !== undefined || engine === 'tfjs-node-gpu';

/** Of all trials: `compiled and tfjs-node`. */
export function engineNames({engine, further = new Map()}: Pick<Choice, 'engine' | 'further'>): string {
  return [...new Set([engine, ...[...further.values()].map(own => own.engine)])].join(' and ');
}

/** What trials of a precision are trained on. */
export function choiceFor<Own extends Pick<Choice, 'engine'>>(
  choice: Own & {further?: ReadonlyMap<Wish['precision'], Choice>},
  precision: Wish['precision'],
): Own | Choice {
  return choice.further?.get(precision) ?? choice;
}
