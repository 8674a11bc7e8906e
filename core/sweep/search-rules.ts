/** What makes a search of learning rates impossible, useless or dear. */
import {count} from '../run/format.ts';
import type {Fix} from './problem.ts';
import type {Problems} from './problems.ts';
import {type MethodSettings, nameOf, type Sweep} from './sweep.ts';
import {newLine} from './table/values.ts';
import {find} from './text/locate.ts';
import type {MappingNode} from './text/nodes.ts';
import type {Tree} from './text/tree.ts';

/** Fewer rates than this are no axis to search along. */
export const fewestRates = 4;

/** What the rules look at. */
interface File {
  sweep: Pick<Sweep, 'methods' | 'training' | 'run'> & {search: NonNullable<Sweep['search']>};
  tree: Pick<Tree, 'root'>;
  problems: Problems;
}

export const needsEvaluation =
  "A search needs an evaluation: at the end of a training its loss picks rates that are too large. Add one under 'evaluate', like {task: loss, data: data/test.jsonl}.";

const seedsNeedEvaluation =
  "Further seeds need an evaluation: without one there are no words that could be missing. Add one under 'evaluate', like {task: loss, data: data/test.jsonl}.";

/** Without an evaluation a search is an error: at the end the training loss picks rates that are too large. So are further seeds. */
export function checkObjective(
  {searches, addsSeeds}: {searches: boolean; addsSeeds: boolean},
  root: MappingNode,
  problems: Problems,
): void {
  const path = searches ? ['search'] : ['verdict', 'seeds'];
  if (!(searches || addsSeeds) || !find({root}, path)) return;
  problems.at(
    path,
    'search/no-metric',
    searches ? needsEvaluation : seedsNeedEvaluation,
    newLine(root, 'evaluate: {task: loss, data: data/test.jsonl}'),
  );
}

/** What a start from the curvature needs. */
interface Start {
  methods: readonly string[];
  /** Points of the training that are probed; absent: none. */
  probed?: readonly number[];
}

/** A search that starts from the curvature is an error without a probe at the start, or without what it is relative to. */
export function checkStart({methods, probed}: Start, root: MappingNode, problems: Problems): void {
  const path = ['search', 'start'];
  const found = find({root}, path);
  if (!found) return;
  const report = (message: string, fixes: Fix[] = []) =>
    problems.report('search/no-probe', {path, range: found.node.range}, message, fixes);
  if (!probed?.includes(0))
    report(
      "A search can start from the curvature only where that is measured at the start of training: add 'curvature: {at: start}', or remove 'start'.",
      find({root}, ['curvature']) ? [] : newLine(root, 'curvature: {samples: 100}'),
    );
  else if (methods.length > 0 && !methods.includes('lora'))
    report("The curvature of a method is relative to LoRA's: add 'lora' to 'methods', or remove 'start'.");
}

/** Adds a problem of code `search/…` for whatever a search makes little sense with. */
export function checkSearch({search, ...sweep}: Sweep, tree: Pick<Tree, 'root'>, problems: Problems): void {
  if (!search) return;
  const file = {sweep: {...sweep, search}, tree, problems};
  checkWarmUp(file);
  checkRates(file);
  checkWorkers(file);
}

function checkWarmUp(file: File): void {
  const {search, training} = file.sweep;
  // How many steps there are is not known here.
  if (training.warmupSteps !== undefined) return;
  const longest = 2 * training.warmupRatio;
  if (longest <= search.scan) return;
  const [scan, warmUp] = [search.scan, training.warmupRatio].map(percent);
  const message =
    longest > 1
      ? `The warm-up takes ${warmUp} of the steps, and a scan at most half: it would end before the rates have risen, so that every trial is trained whole. Lower 'training.warmup_ratio'.`
      : `The scan of ${scan} ends before or just behind the warm-up of ${warmUp}, where the loss says little of a rate: it is made ${percent(Math.min(longest, 0.5))} long instead. Lower 'training.warmup_ratio' for a cheaper search.`;
  report(file, 'search/scan-in-warmup', message);
}

function checkRates(file: File): void {
  const few = file.sweep.methods.filter(({learningRates}) => learningRates.length < fewestRates);
  if (few.length === 0) return;
  const list = few
    .map(({learningRates, ...one}) => `${nameOf(one)} (${count(learningRates.length, 'rate')})`)
    .join(', ');
  const message = `A search needs at least ${fewestRates} learning rates to find its way along; every trial is trained whole for ${list}. Give a wider or denser grid, or take 'search: grid'.`;
  report(file, 'search/few-rates', message);
}

function checkWorkers(file: File): void {
  const {methods, run} = file.sweep;
  if (run.workers === 'auto') return;
  const cells = methods.map(({ranks, batchSizes, seeds, learningRates, axes}) => {
    const each = ranks.length * batchSizes.length * places(axes);
    return {wide: each * Math.floor(learningRates.length / 2), whole: each * Math.max(2, seeds.length - 1)};
  });
  const [scanned, whole] = [sum(cells.map(({wide}) => wide)), sum(cells.map(({whole}) => whole))];
  if (run.workers <= whole) return;
  const message =
    run.workers > scanned
      ? `Of ${run.workers} workers a search can use ${scanned}, one for every second rate of its scan, and ${whole} after that.`
      : `Of ${run.workers} workers a search can use ${whole} once its scan is done: it is a chain of 3 to 6 whole trainings.`;
  report(file, 'search/workers', `${message} With so many, 'search: grid' may be as fast.`);
}

function report(
  {tree, problems}: File,
  code: 'search/scan-in-warmup' | 'search/few-rates' | 'search/workers',
  message: string,
): void {
  const found = find(tree, ['search']);
  if (!found) return;
  problems.report(code, {path: ['search'], range: found.node.range}, message, [], 'warning');
}

/** Combinations of further axes. */
const places = (axes: MethodSettings['axes'] = {}): number =>
  Object.values(axes).reduce((product, {length}) => product * length, 1);
const percent = (share: number) => `${Number((100 * share).toPrecision(4))} %`;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
