/** The answers of one trial, or of two, in the panel beside the page. */
import type {TrialView} from '../../core/run/fold.ts';
import {formatMeasure} from '../../core/run/format.ts';
import type {AnswersAt} from '../../core/run/page-messages.ts';
import {type Answer, verdictInWords} from '../../core/run/samples.ts';
import {element, toggleButton} from '../elements.ts';
import {type AnswersSource, countInWords, type Pair, paired, wrongOnes} from './answers.ts';
import {answersAtOnce, type Panel} from './panel-choice.ts';
import type {TrialsDoing} from './section.ts';

type AnswersPanel = Extract<Panel, {kind: 'answers'}>;

export function answersView(
  panel: AnswersPanel,
  trials: readonly TrialView[],
  source: AnswersSource | undefined,
  open: TrialsDoing['open'],
): HTMLElement[] {
  const told = panel.trials.map(trial => source?.of(trial, panel.at));
  const places = told[0]?.places ?? [];
  const bar = element('div', 'bar');
  bar.append(besideChoice(panel, trials, open));
  if (places.length > 1) bar.append(placeChoice(panel, places, trials, open));
  const isWrongOnly = panel.isWrongOnly;
  bar.append(
    toggleButton('wrong answers only', 'Wrong only', isWrongOnly, () =>
      // The button outlives this drawing.
      open(now => (now?.kind === 'answers' ? {...now, isWrongOnly: !isWrongOnly, shown: answersAtOnce} : now)),
    ),
  );
  if (told.some(one => one === undefined)) return [bar, element('p', 'empty', 'Reading the answers…')];
  const all = paired(told.map(one => one!.answers));
  const left = told.reduce((sum, one) => sum + one!.left, 0);
  if (all.length === 0) {
    const none = 'No answers yet: they are kept when a task that generates them, like exact-match, was evaluated.';
    return [bar, element('p', 'empty', none)];
  }
  const pairs = isWrongOnly ? wrongOnes(all) : all;
  const words = element('p', 'figures', `${countInWords(all)}${left > 0 ? `; ${left} more are in the files` : ''}.`);
  const more = element('div', 'bar');
  if (pairs.length > panel.shown) {
    const button = element('button', '', `Show ${Math.min(answersAtOnce, pairs.length - panel.shown)} more`);
    button.id = 'more answers';
    button.addEventListener('click', () => open({...panel, shown: panel.shown + answersAtOnce}));
    more.append(button);
  }
  const list = pairs.slice(0, panel.shown).map(pair => pairView(pair, panel.trials));
  return [bar, words, ...(list.length > 0 ? list : [element('p', 'empty', 'None is wrong.')]), more];
}

/** Another trial beside the first one. */
function besideChoice(panel: AnswersPanel, trials: readonly TrialView[], open: TrialsDoing['open']): HTMLElement {
  const [first = '', second = ''] = panel.trials;
  const label = element('label', '', 'Beside it ');
  const select = element('select', '');
  select.id = 'answers beside';
  const others = trials.filter(({trial, evaluations}) => trial.id !== first && evaluations.length > 0);
  for (const [value, text] of [['', 'nothing'], ...others.map(({trial}) => [trial.id, trial.id])] as const) {
    const option = element('option', '', text);
    option.value = value;
    option.selected = value === second;
    select.append(option);
  }
  select.addEventListener('change', () =>
    open({...panel, trials: [first, select.value].filter(Boolean), shown: answersAtOnce}),
  );
  label.append(select);
  return label;
}

function placeChoice(
  panel: AnswersPanel,
  places: readonly AnswersAt[],
  trials: readonly TrialView[],
  open: TrialsDoing['open'],
): HTMLElement {
  const label = element('label', '', 'Evaluation ');
  const select = element('select', '');
  select.id = 'answers of';
  const view = trials.find(({trial}) => trial.id === panel.trials[0]);
  const now = panel.at ?? places[0]!;
  places.forEach((at, k) => {
    const of = view?.evaluations.find(one => one.step === at.step && (one.index ?? 0) === at.evaluation);
    const what = of ? formatMeasure(of.task, of.metric) : `evaluation ${at.evaluation + 1}`;
    const option = element('option', '', `step ${at.step}, ${what}`);
    option.value = String(k);
    option.selected = at.step === now.step && at.evaluation === now.evaluation;
    select.append(option);
  });
  select.addEventListener('change', () =>
    open({...panel, at: places[Number(select.value)] ?? null, shown: answersAtOnce}),
  );
  label.append(select);
  return label;
}

function pairView({row, sample, prompt, expected, answers}: Pair, trials: readonly string[]): HTMLElement {
  const made = element('article', 'answer');
  made.append(element('h3', '', `Row ${row}${sample > 0 ? `, sample ${sample}` : ''}`));
  if (prompt !== undefined) made.append(quoted('Prompt', prompt));
  if (expected !== null) made.append(quoted('Expected', expected));
  const sides = element('div', answers.length > 1 ? 'sides' : '');
  answers.forEach((answer, side) => {
    const own = element('div', '');
    if (answers.length > 1) own.append(element('p', 'label', trials[side] ?? ''));
    own.append(...answerView(answer));
    sides.append(own);
  });
  made.append(sides);
  return made;
}

function answerView(answer: Answer | undefined): HTMLElement[] {
  if (!answer) return [element('p', 'empty', 'no answer to this row')];
  const {output, extracted, verdict, reason} = answer;
  const kind = verdict === true ? 'right' : verdict === false ? 'wrong' : 'score';
  const mark = verdict === true ? '✓ ' : verdict === false ? '✗ ' : '';
  const words = element('p', `verdict-${kind}`, `${mark}${verdictInWords(verdict)}${reason ? ` (${reason})` : ''}`);
  return [quoted('Answer', output), quoted('Found in it', extracted ?? 'nothing'), words];
}

function quoted(title: string, text: string): HTMLElement {
  const made = element('div', 'quoted');
  made.append(element('span', 'what', title), element('pre', '', text));
  return made;
}
