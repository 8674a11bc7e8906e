/** A folded run as the elements of a page. */

import {drawingOf, type Figure, ratesOf} from '../core/figure/each.ts';
import {budgetInWords, budgetOf} from '../core/run/budget.ts';
import {axesIn, belongs} from '../core/run/compare/conditions.ts';
import {peakColumns, peakRows} from '../core/run/compare/peak-table.ts';
import {titled} from '../core/run/compare/titled.ts';
import type {RunState} from '../core/run/fold.ts';
import {count, formatMemory, formatPreparing, formatSeconds} from '../core/run/format.ts';
import {type MoreWanted, seedWishes} from '../core/run/more-wanted.ts';
import type {PageAction} from '../core/run/page-messages.ts';
import {type Progress, progress} from '../core/run/progress.ts';
import type {Part} from '../core/run/several/part.ts';
import {together} from '../core/run/several/together.ts';
import {
  countedRun,
  droppedCaption,
  droppedColumns,
  droppedRows,
  droppedTitle,
} from '../core/run/trials/dropped-trials.ts';
import {verdict} from '../core/run/verdict/sentences.ts';
import {type Comparison, compare, title} from '../core/run/verdict.ts';
import {hasChosen} from '../core/search/comparing/settled.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {markdownTable} from '../core/table.ts';
import {zoomHint} from './axes/keys.ts';
import {costSection} from './cost-section.ts';
import {curvatureSections} from './curvature-section.ts';
import {type Copying, dataOf, type PictureKind, saveButtons} from './data-table.ts';
import {arrange, canvasBox, element, type Plot, staying, tableOf, toggleButton} from './elements.ts';
import type {KeptSections} from './kept-sections.ts';
import {landscapeSections} from './landscape-section.ts';
import type {LossView} from './loss-chart.ts';
import {lossSections} from './loss-section.ts';
import {type PressedPoint, rateBars, rateChart} from './rate-chart.ts';
import {isSearched} from './rate-lines.ts';
import {scanSections} from './scan-section.ts';
import {settingsSections} from './settings/section.ts';
import type {Theme} from './theme/palette.ts';
import type {AnswersSource} from './trials/answers.ts';
import {panelOf} from './trials/panel.ts';
import {type Panel, trialPanel} from './trials/panel-choice.ts';
import {firstTable} from './trials/rows.ts';
import {type TrialsDoing, type TrialsView, trialsSection} from './trials/section.ts';

/** What the reader has chosen; a reload keeps it. */
export interface Choices extends LossView {
  /** Deviations as bars, not as bands. */
  bars: boolean;
  /** Keys of the charts whose data is open. */
  open: string[];
  trials: TrialsView;
  /** What stands beside the page. */
  panel: Panel | null;
}

export const firstChoices: Choices = {
  curve: 'losses',
  logSteps: false,
  logValues: true,
  overlaid: false,
  smoothing: 0,
  focus: null,
  bars: false,
  open: [],
  trials: {table: firstTable, isGrid: false, isChoosingColumns: false, chosen: [], isWhole: false},
  panel: null,
};

/** What the page can do besides showing: all of it has a place to go in the editor, copies alone in a browser. */
export interface Doing {
  choose(change: Partial<Choices> | ((now: Choices) => Partial<Choices>)): void;
  copy: Pick<Copying, 'text' | 'picture'> & {save(figure: Figure, kind: PictureKind): void};
  /** Whether a chart shows a part of what it has, and back to all of it. */
  isZoomed(key: string): boolean;
  showAll(key: string): void;
  /** These are absent outside the editor. */
  act?: (action: PageAction) => void;
  /** Trains so many more seeds of a method, METHOD=NUMBER. */
  moreSeeds?: (wish: string) => void;
  /** Asks for another run to show beside this one; takes all of them away. */
  compare?: () => void;
  alone?: () => void;
  /** Something is done with some trials. */
  actOn?: NonNullable<TrialsDoing['act']>;
  answers?: AnswersSource;
  alive: boolean;
  /** As the editor's other views show it; null: by the state itself. */
  progress: Progress | null;
  /** The part of a long run that is read, from 0 to 1, while it is being read. */
  reading: number | null;
}

/** What is shown, and what of it stays from one drawing to the next. */
export interface Shown {
  state: RunState;
  others: readonly Part[];
  kept: KeptSections;
  /** Zooms, as a text: what depends on them is made anew where it changes. */
  zooms: string;
}

/** Fills `root` with the run; the charts are to be drawn then. */
export function showPage(
  root: HTMLElement,
  {state: whole, others, kept, zooms}: Shown,
  theme: Theme,
  choices: Choices,
  doing: Doing,
): Plot[] {
  const state = countedRun(whole);
  const joined = togetherWith(state, others);
  const comparisons = compare(joined.state);
  const trialsDoing = doingWithTrials(state, choices, doing);
  const copying: Copying = {
    ...doing.copy,
    save: (figure, kind) => {
      const made = figure(drawingOf(joined.state, comparisons));
      if (made) doing.copy.save(made, kind);
    },
  };
  const {curve, logSteps, logValues, overlaid, smoothing, focus, bars, open, trials, panel} = choices;
  const {alive, progress: now, reading} = doing;
  const colours = JSON.stringify(theme);
  const whatever = [whole, others, colours, zooms, alive, now, reading];
  const part = (name: string, of: readonly unknown[], make: (plots: Plot[]) => HTMLElement[]) =>
    kept.get(name, [...whatever, ...of], plots => {
      const elements = make(plots);
      finish(plots, choices, doing, copying);
      return elements;
    });
  const curves = part('curves', [curve, logSteps, logValues, overlaid, smoothing, focus, open], plots =>
    lossSections(state, theme, choices, changeOfCurves(doing), plots),
  );
  const top = part('top', [], () => [header(state, {others, remarks: joined.remarks}, comparisons, doing)]);
  const results = part('results', [bars, open], plots =>
    resultsOf(state, joined.state, {theme, plots, choices, doing, trialsDoing, copying}),
  );
  const dropped = part('dropped', [], () => droppedSection(whole, theme));
  const beside: Plot[] = [];
  const asideOf = panelOf(panel, {state, view: choices, theme, plots: beside, answers: doing.answers}, trialsDoing);
  finish(beside, choices, doing, copying);
  arrange(root, [
    ...top.elements,
    // While it trains, what moves stands first.
    ...(alive ? curves.elements : []),
    ...results.elements,
    ...(alive ? [] : curves.elements),
    ...trialsSection(state, trials, trialsDoing, theme),
    ...dropped.elements,
    ...asideOf,
  ]);
  return [...curves.plots, ...results.plots, ...beside];
}

interface Around {
  theme: Theme;
  plots: Plot[];
  choices: Choices;
  doing: Doing;
  trialsDoing: TrialsDoing;
  copying: Copying;
}

/** What the trials came to, of this run and those beside it (`joined`). */
function resultsOf(state: RunState, joined: RunState, around: Around): HTMLElement[] {
  const {theme, plots, choices, doing, trialsDoing, copying} = around;
  const comparisons = compare(joined);
  return [
    ...comparisons.map(comparison =>
      comparisonSection(
        comparison,
        {theme, plots, wishes: seedWishes(comparison, state), press: pressedPoint(state, comparison, trialsDoing)},
        choices,
        doing,
      ),
    ),
    ...(comparisons.length === 0 ? [element('p', 'empty', nothingYet(doing))] : []),
    ...scanSections(state, theme, plots),
    ...landscapeSections(comparisons, theme, plots),
    ...settingsSections(joined, {
      ...{theme, plots},
      press: some => openTrials(some, state, trialsDoing),
      saving: (figure, name) => saveButtons(figure, name, copying),
    }),
    ...curvatureSections(state, theme, plots),
    ...costSection(state, theme),
  ];
}

/** What stands below each chart, and how to zoom. */
function finish(plots: readonly Plot[], choices: Choices, doing: Doing, copying: Copying): void {
  for (const plot of plots) {
    const others = choices.open.filter(key => key !== plot.key);
    const toggled = (open: boolean): void => doing.choose({open: open ? [...others, plot.key] : others});
    const data = dataOf(plot, choices.open.includes(plot.key), toggled, copying);
    plot.canvas.parentElement?.after(...wayBack(plot, doing), data);
  }
  sayHowToZoom(plots);
}

/** Joined once: a run never changes. */
function togetherWith(state: RunState, others: readonly Part[]): ReturnType<typeof together> {
  const known = joinedWith.get(state);
  if (known?.others === others) return known.made;
  const made = together([{name: state.name, state}, ...others]);
  joinedWith.set(state, {others, made});
  return made;
}

const joinedWith = new WeakMap<RunState, {others: readonly Part[]; made: ReturnType<typeof together>}>();

function nothingYet({reading}: Doing): string {
  return reading === null ? 'No trial has finished yet.' : `Reading the run, ${Math.floor(100 * reading)} %`;
}

/** From a part of a chart to all of it. */
function wayBack({key}: Plot, {isZoomed, showAll}: Doing): HTMLElement[] {
  if (!isZoomed(key)) return [];
  const bar = element('div', 'bar');
  const button = element('button', '', 'Reset zoom');
  button.id = `all of ${key}`;
  button.addEventListener('click', () => showAll(key));
  bar.append(staying(button));
  return [bar];
}

/** Once at the end of each card that has charts to zoom. */
function sayHowToZoom(plots: readonly Plot[]): void {
  const zoomable = plots.filter(plot => plot.isZoomable || plot.configuration.options?.plugins?.zoom);
  const cards = new Set(zoomable.flatMap(({canvas}) => canvas.closest('.card') ?? []));
  for (const card of cards) card.append(element('p', 'caption', zoomHint));
}

function header(
  state: RunState,
  {others, remarks}: {others: readonly Part[]; remarks: readonly string[]},
  comparisons: readonly Comparison[],
  doing: Doing,
): HTMLElement {
  const {trials} = state;
  const of = (wanted: string): number => trials.filter(view => view.state === wanted).length;
  const different = (key: 'method' | 'learningRate' | 'seed'): number =>
    new Set(trials.map(({trial}) => trial[key])).size;
  const facts: [string, string][] = [
    ['trials finished', `${of('finished')} of ${trials.length}`],
    ...(['diverged', 'failed', 'stopped', 'running'] as const)
      .filter(wanted => of(wanted) > 0)
      .map((wanted): [string, string] => [wanted, String(of(wanted))]),
    ['methods', String(different('method'))],
    ['learning rates', String(different('learningRate'))],
    ['seeds', String(different('seed'))],
    ...(state.seconds > 0 ? [['time', formatSeconds(state.seconds)] satisfies [string, string]] : []),
    ...(state.memory ? [['peak memory', formatMemory(state.memory.peak)] satisfies [string, string]] : []),
    ['engine', state.engine],
  ];
  const list = element('dl', 'facts');
  for (const [name, value] of facts) {
    const fact = element('div', 'fact');
    fact.append(element('dt', '', name), element('dd', '', value));
    list.append(fact);
  }
  const top = element('header', '');
  top.append(element('p', 'label', 'LoRA Sweep'), element('h1', '', state.name), list);
  top.append(...budgetBar(state));
  if (doing.alive) top.append(element('p', 'figures', progressSentence(state, doing.progress ?? progress(state))));
  // How many rows were cut or left out stands among them.
  for (const note of state.notes) top.append(element('p', 'figures', note));
  if (others.length > 0)
    top.append(element('p', 'figures', `together with ${others.map(({name}) => name).join(', ')}`));
  for (const remark of remarks) top.append(element('p', 'figures', remark));
  top.append(actions(state, others, comparisons, doing));
  return top;
}

/** What a search spent, as a bar over what the grid would have cost; nothing without a search. */
function budgetBar(state: RunState): HTMLElement[] {
  const budget = budgetOf(state);
  if (budget === null || budget.gridSteps === 0) return [];
  const words = budgetInWords(budget);
  const bar = element('div', 'budget');
  bar.setAttribute('role', 'img');
  bar.setAttribute('aria-label', words);
  const spent = element('div', 'spent');
  spent.style.width = `${Math.min(100, (100 * budget.steps) / budget.gridSteps).toFixed(1)}%`;
  bar.append(spent);
  return [element('p', 'figures', words), bar];
}

function actions(
  state: RunState,
  others: readonly Part[],
  comparisons: readonly Comparison[],
  {act, compare, alone, alive, copy}: Doing,
): HTMLElement {
  const bar = element('div', 'bar');
  const button = (text: string, press: () => void): HTMLElement => {
    const made = element('button', '', text);
    made.id = `do ${text}`;
    made.addEventListener('click', press);
    bar.append(made);
    return made;
  };
  const lasting = (text: string, press: () => void): void => void staying(button(text, press));
  if (act) {
    const has = (...wanted: string[]): boolean => state.trials.some(view => wanted.includes(view.state));
    if (alive) lasting('Stop', () => act('stop'));
    else if (has('waiting', 'stopped') && !hasChosen(state)) lasting('Resume', () => act('resume'));
    if (!alive && has('failed', 'diverged')) lasting('Rerun failed', () => act('rerunFailed'));
    if (!alive && comparisons.length > 0) lasting('Export best…', () => act('exportTrial'));
    const generated = state.trials.some(({evaluations}) => evaluations.some(({metric}) => metric !== 'loss'));
    if (generated) lasting('Open samples…', () => act('openSamples'));
    lasting('Show log', () => act('showLog'));
    lasting('Open sweep file', () => act('openSweep'));
  }
  if (compare) lasting('Compare with…', compare);
  if (alone && others.length > 0) lasting('This run alone', alone);
  if (comparisons.length > 0) button('Copy peaks as Markdown', () => copy.text(peaksAsMarkdown(comparisons)));
  return bar;
}

function peaksAsMarkdown(comparisons: readonly Comparison[]): string {
  return comparisons
    .map(titled)
    .map(named => `${title(named)}\n\n${markdownTable(peakColumns(named), peakRows(named)).join('\n')}\n`)
    .join('\n');
}

function progressSentence(state: RunState, now: Progress): string {
  if (state.preparing) return formatPreparing(state.preparing);
  const {trialsDone, trialsTotal, stepsPerSecond, tokensPerSecond, secondsLeft} = now;
  return [
    `${trialsDone} of ${trialsTotal} trials done`,
    stepsPerSecond === null ? '' : `${stepsPerSecond.toFixed(1)} steps/s`,
    tokensPerSecond === null ? '' : `${Math.round(tokensPerSecond).toLocaleString('en-US')} tokens/s`,
    state.memory === null ? '' : `memory ${formatMemory(state.memory.bytes)}`,
    secondsLeft === null ? '' : `about ${formatSeconds(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What is pressed among the curves: a line opens its trial as well. */
function changeOfCurves({choose}: Doing): (change: Partial<LossView>) => void {
  return change =>
    choose({
      ...change,
      ...(change.focus !== undefined && {panel: change.focus?.trial ? trialPanel([change.focus.trial]) : null}),
    });
}

function doingWithTrials(state: RunState, {panel}: Choices, {choose, actOn, answers, alive}: Doing): TrialsDoing {
  const generated = state.trials.some(({evaluations}) => evaluations.some(({metric}) => metric !== 'loss'));
  return {
    change: change =>
      choose(now => ({trials: {...now.trials, ...(typeof change === 'function' ? change(now.trials) : change)}})),
    // The curves follow the trial that is open.
    open: to =>
      choose(now => {
        const next = typeof to === 'function' ? to(now.panel) : to;
        return {panel: next, focus: next?.kind === 'trial' ? {trial: next.shown} : null};
      }),
    ...(actOn && {act: actOn}),
    hasAnswers: answers !== undefined && generated,
    alive,
    opened: panel?.kind === 'trial' ? panel.shown : null,
  };
}

/** What the sweep file no longer has stands apart from all that is compared. */
function droppedSection(state: RunState, theme: Theme): HTMLElement[] {
  const rows = droppedRows(state);
  if (rows.length === 0) return [];
  const section = element('section', 'card');
  section.append(
    element('h2', '', droppedTitle),
    element('p', 'caption', droppedCaption),
    tableOf(
      droppedColumns,
      rows,
      theme,
      droppedTitle,
      state.trials.filter(({dropped}) => dropped).map(({trial}) => nameOf(trial)),
    ),
  );
  return [section];
}

function comparisonSection(
  comparison: Comparison,
  {theme, plots, wishes, press}: {theme: Theme; plots: Plot[]; wishes: MoreWanted[]; press: PressedPoint},
  {bars}: Choices,
  doing: Doing,
): HTMLElement {
  const section = element('section', 'card');
  const name = title(comparison);
  const words = element('div', 'verdict');
  const named = titled(comparison);
  const sentences = verdict(named);
  words.append(...sentences.map(sentence => element('p', '', sentence.replaceAll(' %', '\u00a0%'))));
  const plot = canvasBox('plot', `${name} over the learning rate. ${sentences.join(' ')}`);
  plots.push({
    key: bars ? `${name}, bars` : name,
    canvas: plot.canvas,
    configuration: bars ? rateBars(comparison, theme, press) : rateChart(comparison, theme, press),
    figure: drawing => ratesOf(comparison, drawing),
  });
  const bar = element('div', 'bar');
  bar.append(toggleButton(`${name}, error bars`, 'Error bars', bars, () => doing.choose({bars: !bars})));
  section.append(
    element('h2', '', name),
    words,
    bar,
    plot.box,
    element('p', 'caption', captionOf(comparison, bars)),
    tableOf(
      peakColumns(named),
      peakRows(named),
      theme,
      `Peaks, ${name}`,
      comparison.curves.map(({method}) => method),
    ),
    ...seedButtons(name, wishes, doing),
  );
  return section;
}

/** Opens what stands at a point: the trials of all its seeds. */
function pressedPoint(state: RunState, comparison: Comparison, doing: TrialsDoing): PressedPoint {
  const axes = axesIn(state);
  return (method, rate) => {
    const views = state.trials.filter(
      ({trial}) => nameOf(trial) === method && trial.learningRate === rate && belongs(trial, comparison, axes),
    );
    openTrials(
      views.map(({trial}) => trial.id),
      state,
      doing,
    );
  };
}

/** Those of another run are not here. */
function openTrials(trials: readonly string[], {places}: RunState, {open}: TrialsDoing): void {
  const own = trials.filter(id => places[id] !== undefined);
  if (own.length > 0) open(trialPanel(own));
}

/** A button for each method that needs more seeds for its word, while nothing runs. */
function seedButtons(name: string, wishes: readonly MoreWanted[], {moreSeeds, alive}: Doing): HTMLElement[] {
  if (!moreSeeds || alive || wishes.length === 0) return [];
  const bar = element('div', 'bar');
  for (const {method, seeds} of wishes) {
    const button = element('button', '', `Run ${count(seeds, 'more seed')} of ${method}`);
    button.id = `more seeds of ${method}, ${name}`;
    button.addEventListener('click', () => moreSeeds(`${method}=${seeds}`));
    bar.append(staying(button));
  }
  return [bar];
}

function captionOf({curves}: Comparison, bars: boolean): string {
  const points = curves.flatMap(curve => curve.points);
  const searches = curves.some(isSearched);
  return [
    searches
      ? 'Lines: rates that were trained whole. Large markers: chosen rate. Hollow markers: one seed. Press a point to open its trials.'
      : 'Lines: mean over seeds. Large markers: best rate. Press a point to open its trials.',
    points.some(point => point.std !== null)
      ? `${bars || searches ? 'Bars' : 'Bands'}: ± one standard deviation over seeds.`
      : '',
    points.some(point => point.diverged > 0) ? '×: a seed diverged.' : '',
    points.some(point => point.scanned) ? 'Slanted ticks at the bottom: scanned only, there is no value.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}
