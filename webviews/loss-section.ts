/** The curves of the trials: a chart a method, or all in one. */
import {curvesOf} from '../core/figure/each.ts';
import {methodTitle} from '../core/method/title.ts';
import {settingInFull} from '../core/run/compare/conditions.ts';
import type {RunState, TrialView} from '../core/run/fold.ts';
import {formatRate} from '../core/run/format.ts';
import type {CurveName} from '../core/run/update.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {canvasBox, element, type Plot, toggleButton} from './elements.ts';
import {isInFocus, type LossPanel, type LossView, lossChart, lossScale, ratePosition} from './loss-chart.ts';
import {rateColour, type Theme} from './theme/palette.ts';

const titles: Record<CurveName, string> = {losses: 'Training loss', gradNorms: 'Gradient norm', rates: 'Learning rate'};

/** One section a (rank, batch size, value of further axes). */
export function lossSections(
  state: RunState,
  theme: Theme,
  view: LossView,
  choose: (change: Partial<LossView>) => void,
  plots: Plot[],
): HTMLElement[] {
  const withSteps = state.trials.filter(({losses, gradNorms, rates}) =>
    [losses, gradNorms, rates].some(({steps}) => steps.length > 0),
  );
  const groups = Map.groupBy(withSteps, ({trial}) => settingInFull(trial));
  return [...groups].map(([name, views]) => {
    const section = element('section', 'card');
    const head = [element('h2', '', `${titles[view.curve]}, ${name}`), controls(name, view, choose)];
    // Curves that were just chosen are on their way.
    if (!views.some(one => one[view.curve].steps.length > 0)) {
      section.append(...head, element('p', 'empty', 'No values yet.'));
      return section;
    }
    const scale = lossScale(views, view.curve);
    const methods = [...new Set(views.map(({trial}) => nameOf(trial)))];
    const panel = {views, methods, scale, view};
    section.append(...head, rateLegend(name, panel, choose, theme), panels(name, panel, choose, theme, plots));
    return section;
  });
}

function panels(
  name: string,
  all: LossPanel,
  choose: (change: Partial<LossView>) => void,
  theme: Theme,
  plots: Plot[],
): HTMLElement {
  const {views, methods, view} = all;
  const panel = (title: string, own: TrialView[], className: string): HTMLElement => {
    const figure = element('figure', '');
    const plot = canvasBox(`plot ${className}`, `${titles[view.curve]} of ${title} over the steps, a line a trial`);
    const key = `${titles[view.curve]}, ${name}, ${title}, ${view.logSteps ? 'log' : 'linear'}`;
    const focused = (trial: string): void => choose({focus: view.focus?.trial === trial ? null : {trial}});
    let configuration: Plot['configuration'] | undefined;
    plots.push({
      key,
      canvas: plot.canvas,
      isZoomable: true,
      get configuration() {
        configuration ??= lossChart({...all, views: own}, focused, theme);
        return configuration;
      },
      figure: drawing => curvesOf(own, view.curve, `${title}, ${name}`, drawing),
    });
    figure.append(element('figcaption', '', title), plot.box);
    return figure;
  };
  if (view.overlaid) return panel(methods.length > 1 ? 'all methods' : methods.map(methodTitle).join(), views, '');
  const grid = element('div', 'grid');
  grid.append(
    ...methods.map(method =>
      panel(
        methodTitle(method),
        views.filter(({trial}) => nameOf(trial) === method),
        'small',
      ),
    ),
  );
  return grid;
}

function controls(name: string, view: LossView, choose: (change: Partial<LossView>) => void): HTMLElement {
  const bar = element('div', 'bar');
  const toggle = (text: string, pressed: boolean, change: Partial<LossView>): void => {
    bar.append(toggleButton(`${name}, ${text}`, text, pressed, () => choose(change)));
  };
  for (const curve of ['losses', 'gradNorms', 'rates'] as const) toggle(titles[curve], view.curve === curve, {curve});
  toggle('Log steps', view.logSteps, {logSteps: !view.logSteps});
  toggle('Log values', view.logValues, {logValues: !view.logValues});
  toggle('Overlay methods', view.overlaid, {overlaid: !view.overlaid});
  bar.append(smoothingSlider(name, view.smoothing, smoothing => choose({smoothing})));
  return bar;
}

function smoothingSlider(group: string, smoothing: number, choose: (smoothing: number) => void): HTMLElement {
  const label = element('label', 'smoothing', `Smoothing ${smoothing.toFixed(2)} `);
  const slider = element('input', '');
  slider.type = 'range';
  slider.id = `${group}, smoothing`;
  slider.min = '0';
  slider.max = '0.99';
  slider.step = '0.01';
  slider.value = String(smoothing);
  slider.addEventListener('change', () => choose(Number(slider.value)));
  label.append(slider);
  return label;
}

/** A button a rate in its colour: pressed, its trials stand out. */
function rateLegend(
  name: string,
  {views, scale, view}: LossPanel,
  choose: (change: Partial<LossView>) => void,
  theme: Theme,
): HTMLElement {
  const legend = element('div', 'rates');
  legend.setAttribute('role', 'group');
  legend.setAttribute('aria-label', 'Learning rates; press one to follow its trials');
  legend.append(element('span', '', 'learning rate'));
  for (const rate of new Set(views.map(({trial}) => trial.learningRate).sort((a, b) => a - b))) {
    const pressed = view.focus?.rate === rate;
    const button = toggleButton(`${name}, rate ${rate}`, formatRate(rate), pressed, () =>
      choose({focus: pressed ? null : {rate}}),
    );
    const swatch = element('span', 'swatch');
    swatch.style.backgroundColor = rateColour(theme, ratePosition(rate, scale));
    button.prepend(swatch);
    legend.append(button);
  }
  const focused = views.filter(one => isInFocus(one, view.focus)).map(({trial}) => trial.id);
  if (view.focus?.trial && focused.length > 0) legend.append(element('span', '', `following ${focused.join(', ')}`));
  return legend;
}
