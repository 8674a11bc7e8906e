/** A run in MLflow: an experiment, and in it a run for each trial, which a later export goes on with. */
import {createHash} from 'node:crypto';
import {SweepError} from '../../../core/error.ts';
import type {TrialView} from '../../../core/run/fold.ts';
import {readRun} from '../../store/run.ts';
import {settingsOf} from '../rows.ts';
import {type Traced, Traces} from '../traces.ts';
import {type Metric, MlflowClient, mostMetrics, type Pair, type TrackedRun} from './mlflow-client.ts';

/** What is known of a trial's run by: of which run of ours it is a trial, of which of its starts, and how much it was told. */
const tags = {
  run: 'lora_sweep.run',
  trial: 'lora_sweep.trial',
  start: 'lora_sweep.start',
  told: 'lora_sweep.told',
  state: 'lora_sweep.state',
} as const;

export interface MlflowOptions {
  /** Absent: MLFLOW_TRACKING_URI. */
  uri: string | undefined;
  /** Absent: the run's name. */
  experiment: string | undefined;
}

/**
 * Tells an MLflow server of every trial that was begun: settings as parameters, curves and results as metrics. A trial that it knows is told what is
 * new only; one that was trained anew since replaces what was there.
 * @returns what was sent, in a sentence, and remarks on the run's files
 * @throws SweepError `no-run`, `usage`, `mlflow`
 */
export async function exportToMlflow(
  folder: string,
  options: MlflowOptions,
): Promise<{sentence: string; remarks: string[]}> {
  const uri = options.uri ?? process.env['MLFLOW_TRACKING_URI'];
  if (!uri)
    throw new SweepError('usage', 'Say which MLflow server: --uri http://HOST:PORT, or set MLFLOW_TRACKING_URI.');
  const client = new MlflowClient(uri);
  const traces = new Traces();
  let began: number | undefined;
  const {
    state,
    live,
    remarks: found,
  } = await readRun(folder, event => {
    began ??= event.at;
    traces.add(event);
  });
  const remarks = [...found];
  const name = options.experiment ?? state.name;
  const experiment = await client.experiment(name);
  const mark = runMark(state.name, began ?? 0);
  const known = await client.runsTagged(experiment, tags.run, mark);
  const settings = settingsOf(state);
  const sums = {made: 0, told: 0, same: 0};
  for (const view of state.trials) {
    if (view.state === 'waiting' && view.evaluations.length === 0) continue;
    const told = toldOf(view, traces.of(view.trial.id), {
      mark,
      settings: settings(view.trial),
      started: state.startedAt,
    });
    sums[await tell(client, experiment, told, known)]++;
  }
  if (state.aggregates.length > 0)
    remarks.push(
      `${state.aggregates.length} means over seeds belong to no trial, so that MLflow is not told of them; csv and parquet have what they come to.`,
    );
  const soFar = live ? ', so far: the run is under way' : '';
  const words = `${sums.made} trials new, ${sums.told} told more of, ${sums.same} as they were`;
  return {
    sentence: `Sent to the experiment ${name} at ${uri.replace(/\/\/[^/@]*@/, '//')}: ${words}${soFar}.`,
    remarks,
  };
}

/** The same for every export of one run, wherever its folder lies: its name and when it first began. */
function runMark(name: string, began: number): string {
  return createHash('sha256')
    .update(JSON.stringify([name, began]))
    .digest('hex')
    .slice(0, 16);
}

interface Told {
  trial: string;
  mark: string;
  /** Milliseconds since 1970 of what is known first of this training: another one is another training. */
  start: number;
  parameters: Pair[];
  /** In the order in which they are told. */
  metrics: Metric[];
  view: TrialView;
}

function toldOf(
  view: TrialView,
  steps: readonly Traced[],
  {mark, settings, started}: {mark: string; settings: [string, string | number][]; started: number | null},
): Told {
  const start = steps[0]?.at ?? view.evaluations[0]?.at ?? view.startedAt ?? started ?? 0;
  const metrics = steps.flatMap(({step, loss, rate, gradNorm, at}): Metric[] =>
    (
      [
        ['train/loss', loss],
        ['train/grad_norm', gradNorm],
        ['train/learning_rate', rate],
      ] as const
    ).map(([key, value]) => ({key, value: value ?? Number.NaN, timestamp: at, step})),
  );
  const results = view.evaluations.map(
    ({task, metric, value, at, step}): Metric => ({
      key: metricName(`eval/${task}/${metric}`),
      ...{value: value ?? Number.NaN, timestamp: at ?? start, step},
    }),
  );
  const parameters = settings.map(([key, value]): Pair => ({key: metricName(key), value: String(value)}));
  // By step, a result behind the step that it follows: what is told later stands behind what was told before.
  const inOrder = [...metrics, ...results].sort((a, b) => a.step - b.step);
  return {trial: view.trial.id, mark, start, parameters, metrics: inOrder, view};
}

/** What MLflow takes as a name of a metric or parameter: other characters become `_`, and a mark tells apart what that makes alike. */
function metricName(name: string): string {
  const safe = name.replace(/[^\w. :/-]/g, '_').slice(0, 230);
  return safe === name ? name : `${safe}_${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}

async function tell(
  client: MlflowClient,
  experiment: string,
  told: Told,
  known: readonly TrackedRun[],
): Promise<'made' | 'told' | 'same'> {
  const {trial, mark, start, parameters, view} = told;
  const [own, ...others] = known.filter(run => run.tags[tags.trial] === trial);
  // Of a run that was told of twice at once one is enough.
  for (const other of others) await client.deleteRun(other.id);
  const isSame = own?.tags[tags.start] === String(start);
  if (own && !isSame) await client.deleteRun(own.id);
  if (own && isSame && own.tags[tags.state] === view.state && toldCount(own) === told.metrics.length) return 'same';
  const run =
    own && isSame
      ? own
      : await client.createRun(experiment, trial, start, [
          {key: tags.run, value: mark},
          {key: tags.trial, value: trial},
          {key: tags.start, value: String(start)},
        ]);
  if (toldCount(run) === 0) await client.logParameters(run.id, parameters);
  await tellMetrics(client, run, told.metrics);
  const [status, isOver] = statusOf(view.state);
  const last = told.metrics.reduce((latest, {timestamp}) => Math.max(latest, timestamp), start);
  await client.updateRun(run.id, status, isOver ? (view.endedAt ?? last) : null);
  await client.logMetrics(run.id, [], [{key: tags.state, value: view.state}]);
  return own && isSame ? 'told' : 'made';
}

/** How many metrics a run has been told. */
function toldCount(run: TrackedRun): number {
  return Number(run.tags[tags.told] ?? 0);
}

/** What it has not been told yet; how far that went is stored with each part. */
async function tellMetrics(client: MlflowClient, run: TrackedRun, metrics: readonly Metric[]): Promise<void> {
  for (let at = toldCount(run); at < metrics.length; at += mostMetrics) {
    const part = metrics.slice(at, at + mostMetrics);
    await client.logMetrics(run.id, part, [{key: tags.told, value: String(at + part.length)}]);
  }
}

function statusOf(state: TrialView['state']): ['RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED', boolean] {
  switch (state) {
    case 'finished':
      return ['FINISHED', true];
    case 'diverged':
    case 'failed':
      return ['FAILED', true];
    case 'stopped':
    case 'paused':
      return ['KILLED', true];
    default:
      return ['RUNNING', false];
  }
}
