/** What the numbers of a sweep come to, at the end of their lines: rates, trials, scale, steps. */
import {type InlayHint, InlayHintKind, type Range} from 'vscode-languageserver/node';
import {count} from '../core/run/format.ts';
import {alphaOf} from '../core/sweep/alpha.ts';
import {axisCount, isAxisKey, stepsInWords} from '../core/sweep/axes/axes.ts';
import {rolesInWords, rolesOf} from '../core/sweep/axes/roles.ts';
import {type Alpha, nameOf, type Sweep} from '../core/sweep/sweep.ts';
import {before} from '../core/sweep/text/lines.ts';
import {find} from '../core/sweep/text/locate.ts';
import {expandTrials} from '../core/sweep/trials.ts';
import type {SweepDocument} from './document.ts';

export function inlayHints({reading: {sweep, tree}, around}: SweepDocument, range: Range): InlayHint[] {
  if (!sweep) return [];
  const hints: InlayHint[] = [];
  const add = (path: (string | number)[], label: string, tooltip: string) => {
    const found = find(tree, path);
    if (!found) return;
    // Behind a value in one line; behind the key where the value has lines of its own.
    const {start, end} = found.node.range;
    const position = start.line === end.line ? end : (found.keyRange?.end ?? start);
    if (!before(position, range.start) && !before(range.end, position))
      hints.push({position, label, kind: InlayHintKind.Type, paddingLeft: true, tooltip});
  };
  const trials = expandTrials(sweep).length;
  add(['methods'], `= ${count(trials, 'trial')}`, rolesInWords(sweep));
  const rates = sweep.methods.map(({learningRates, ...settings}) => {
    const own = ['methods', nameOf(settings), 'learning_rate'];
    return {path: find(tree, own) ? own : ['learning_rate'], number: learningRates.length};
  });
  const points = new Map(rates.map(({path, number}) => [path.join(), {path, number}]));
  for (const {path, number} of points.values())
    if (number > 1) add(path, count(number, 'rate'), 'learning rates of this grid or list');
  const scale = scaleOf(sweep);
  if (scale !== '') add(['alpha'], scale, 'The update B·A is multiplied by alpha / rank');
  for (const {key, number} of [...rolesOf(sweep).conditions, ...rolesOf(sweep).tuned].filter(({key}) => isAxisKey(key)))
    add(key.split('.'), axisCount(key, number), sweep.tune?.includes(key) ? tunedTip : conditionTip);
  const steps = stepsInWords(around?.cost?.steps ?? {});
  const label = steps
    .map(({batchSize, words}) => `${words}${steps.length > 1 ? ` at batch size ${batchSize}` : ''}`)
    .join(', ');
  const epochs = find(tree, ['training', 'epochs']) && sweep.training.steps === undefined;
  if (steps.length > 0 && sweep.training.steps === undefined)
    add(epochs ? ['training', 'epochs'] : ['batch_size'], label, 'Optimizer steps of a trial');
  return hints;
}

const conditionTip = 'A condition: each value has a comparison of its own';
const tunedTip = 'Tuned: each method is compared at its best value';

/** `scale 1`, or one scale a rank. */
function scaleOf({methods}: Sweep): string {
  const {alpha, alphas, ranks} = methods[0]!;
  if (alphas) return ranks.length === 1 ? alphas.map(one => `scale ${scaleAt(one, ranks[0]!)}`).join(', ') : '';
  const scales = ranks.map(rank => scaleAt(alpha, rank));
  return new Set(scales).size === 1
    ? `scale ${scales[0]}`
    : scales.map((scale, k) => `r${ranks[k]}: scale ${scale}`).join(', ');
}

function scaleAt(alpha: Alpha, rank: number): number {
  return Number((alphaOf(alpha, rank) / rank).toPrecision(3));
}
