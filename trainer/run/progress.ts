/** The progress of a run for people: a bar on a terminal, a line now and then elsewhere. */
import {MultiBar, type SingleBar} from 'cli-progress';
import {printable} from '../../core/printable.ts';
import {isEnded, type RunEvent, type RunStarted} from '../../core/run/events.ts';
import {emptyRun, fold, type RunState, type TrialView} from '../../core/run/fold.ts';
import {count, formatLoss, formatMeasure, formatRate, formatSeconds, formatValue} from '../../core/run/format.ts';
import {type Progress, progress} from '../../core/run/progress.ts';

export interface ProgressReport {
  /** The fold of the events seen so far. */
  readonly state: RunState;
  event(event: RunEvent): void;
  /** Takes the bar off the screen. */
  stop(): void;
}

interface Display {
  say(line: string): void;
  update(state: RunState): void;
  stop(): void;
}

/**
 * @param earlier what earlier starts of a resumed run left
 * @param terminal where a bar may be drawn; null = none
 * @param print writes a line (without newline)
 */
export function reportProgress(
  earlier: RunState | null,
  terminal: NodeJS.WriteStream | null,
  print: (line: string) => void,
): ProgressReport {
  const display = terminal ? bar(terminal) : lines(print);
  let state = earlier ?? emptyRun;
  return {
    get state() {
      return state;
    },
    event(event) {
      state = fold(state, event);
      for (const line of announced(state, event, terminal !== null)) display.say(printable(line));
      display.update(state);
    },
    stop: () => display.stop(),
  };
}

/** What an event is worth saying at once. A bar shows finished trials itself. */
function announced(state: RunState, event: RunEvent, briefly: boolean): string[] {
  switch (event.event) {
    case 'run-started': {
      const {trialsDone, trialsTotal} = progress(state);
      if (event.tasks)
        return [
          `${event.name}: ${count(trialsTotal, 'trial')} in ${count(event.tasks.length, 'task')}, ${event.engine} engine: ${event.reason}`,
        ];
      const workers = count(event.workers, 'worker');
      if (trialsTotal === 0 && event.probes)
        return [`${event.name}: ${count(event.probes, 'block')} to probe, ${workers}, ${event.engine} engine`];
      if (trialsTotal === 0) return [`${event.name}: ${nothingToDo(state, event)}`];
      if (event.search && trialsDone === trialsTotal)
        return [`${event.name}: the search is done already, nothing to do`];
      const earlier = state.trials.filter(view => view.state === 'finished' && !view.dropped).length;
      return [
        `${event.name}: ${event.search ? `a search among ${count(state.trials.length, 'trial')}` : `${count(trialsTotal - trialsDone - (event.taken ?? 0), 'trial')} to train`}` +
          `${event.taken === undefined ? '' : `, ${event.taken} taken from runs beside`}` +
          `${earlier > 0 ? ` (${earlier} finished before)` : ''}, ${workers}, ${event.engine} engine: ${event.reason}`,
      ];
    }
    case 'note':
      return [event.message];
    case 'task-started':
      return [`${event.task} begins on ${event.host}${event.attempt > 1 ? `, attempt ${event.attempt}` : ''}`];
    case 'task-ended':
      return event.state === 'finished'
        ? []
        : [`${event.task} ${event.state}${event.message ? `: ${event.message}` : ''}`];
    case 'searched':
      return [`${event.cell}: ${event.why}`];
    case 'challenged': {
      const rates = event.rates.map(formatRate).join(', ');
      return [
        `${event.cell}: before ${event.method} is called worse than ${event.by}, it is trained at ${rates} as well.`,
      ];
    }
    case 'trial-ended': {
      const view = state.trials[state.places[event.trial] ?? -1];
      if (!view || (briefly && (event.state === 'finished' || event.state === 'paused'))) return [];
      return [`${placeOf(progress(state))} ${trialEnd(view)}`];
    }
    default:
      return [];
  }
}

function nothingToDo(state: RunState, {trials}: RunStarted): string {
  const isDone = (view?: TrialView) => view !== undefined && isEnded(view.state);
  // A start that was to probe, or to train some of the trials, leaves others open.
  if (!trials.every(({id}) => isDone(state.trials[state.places[id] ?? -1])))
    return 'all that is asked for is done already, nothing to do';
  const diverged = trials.filter(({id}) => state.trials[state.places[id] ?? -1]?.state === 'diverged').length;
  const remark = diverged > 0 ? ` (${diverged} diverged)` : '';
  return trials.length === 1
    ? `the one trial is finished already${remark}, nothing to do`
    : `all ${trials.length} trials are finished already${remark}, nothing to do`;
}

function placeOf({trialsDone, trialsTotal}: Progress): string {
  return `[${String(trialsDone).padStart(String(trialsTotal).length)}/${trialsTotal}]`;
}

function trialEnd({trial, state, taken, loss, seconds, evaluations, message}: TrialView): string {
  const facts = [
    loss === null ? '' : `loss ${formatLoss(loss)}`,
    ...evaluations
      .filter(({step}) => step === evaluations.at(-1)?.step)
      .slice(-3)
      .map(({task, metric, value}) => (value === null ? '' : `${nameOf(task, metric)} ${formatValue(value, metric)}`)),
    formatSeconds(seconds),
    message ?? '',
  ];
  return `${trial.id} ${taken === undefined ? state : `taken from ${taken}`}: ${facts.filter(Boolean).join(', ')}`;
}

/** Of a task that gives several metrics at once, all but the first are named. */
const nameOf = (task: string, metric: string): string =>
  /^(accuracy|loss|score)$/.test(metric) ? task : formatMeasure(task, metric);

/** `1,234 steps/s, 2 min 10 s left` as far as known. */
function pace({stepsPerSecond, secondsLeft}: Progress): string {
  return [
    stepsPerSecond === null ? '' : `${stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0)} steps/s`,
    secondsLeft === null ? '' : `${formatSeconds(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(', ');
}

const barMilliseconds = 100;

function bar(terminal: NodeJS.WriteStream): Display {
  const bars = new MultiBar({
    stream: terminal,
    format: '{bar} {percentage} %  {place}  {pace}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 28,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is the command's own business: it stops the run cleanly first.
    gracefulExit: false,
    emptyOnZero: true,
  });
  let single: SingleBar | undefined;
  let drawn = 0;
  let lastPace = '';
  return {
    say(line) {
      if (single) bars.log(`${line}\n`);
      else terminal.write(`${line}\n`);
    },
    update(state) {
      const now = Date.now();
      if (now - drawn < barMilliseconds) return;
      drawn = now;
      const {preparing} = state;
      const at = progress(state, now);
      lastPace = pace(at) || lastPace;
      const [total, done] = preparing ? [preparing.total, preparing.done] : [at.stepsTotal, at.stepsDone];
      const payload = preparing
        ? {place: preparing.what, pace: ''}
        : {place: `${at.trialsDone}/${count(at.trialsTotal, 'trial')}`, pace: lastPace};
      single ??= bars.create(Math.max(1, total), 0, payload);
      single.setTotal(Math.max(1, total));
      single.update(done, payload);
    },
    stop: () => bars.stop(),
  };
}

const lineMilliseconds = 15_000;

function lines(print: (line: string) => void): Display {
  let spoken = Date.now();
  const say = (line: string): void => {
    spoken = Date.now();
    print(line);
  };
  return {
    say,
    update(state) {
      const now = Date.now();
      if (now - spoken < lineMilliseconds) return;
      const {preparing} = state;
      const at = progress(state, now);
      if (preparing) say(`${preparing.what}: ${preparing.done} of ${preparing.total}`);
      else
        say(`${placeOf(at)} ${count(at.stepsDone, 'step')} of ${at.stepsTotal.toLocaleString('en-US')}, ${pace(at)}`);
    },
    stop: () => {},
  };
}
