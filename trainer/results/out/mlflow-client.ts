/** What an MLflow tracking server is asked, over its REST API (version 2.0). */
import {setTimeout as wait} from 'node:timers/promises';
import {SweepError} from '../../../core/error.ts';
import {isRecord} from '../../../core/shape.ts';
import {isLoopback} from '../../hub/loopback.ts';

export interface Metric {
  key: string;
  /** NaN where it was not finite. */
  value: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  step: number;
}

export interface Pair {
  key: string;
  value: string;
}

export interface TrackedRun {
  id: string;
  tags: Record<string, string>;
}

/** Of one call, as the server takes it (mlflow/utils/validation.py). */
export const mostMetrics = 1000;
const mostPairs = 100;

/** Nothing heard for this long: the server is given up. */
const silenceMilliseconds = 60_000;
/** Tries of a call that a busy server refuses. */
const mostTries = 4;

/**
 * A tracking server at `uri`, asked with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, where they are set.
 * Every call fails with SweepError `mlflow`, which says what the server said.
 */
export class MlflowClient {
  private readonly uri: string;
  private readonly base: string;
  private readonly headers: Record<string, string>;

  /** @throws SweepError `usage` where it is no address of a server, or would be told a secret unencrypted */
  constructor(uri: string) {
    this.uri = uri;
    const url = URL.canParse(uri) ? new URL(uri) : null;
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new SweepError(
        'usage',
        `${uri} is no address of an MLflow server: give --uri http://HOST:PORT; for a database or a folder, start \`mlflow server\` over it first.`,
      );
    const credentials = credentialsOf(url);
    if (credentials !== null && url.protocol === 'http:' && !isLoopback(url.hostname))
      throw new SweepError(
        'usage',
        `${url.origin} would be sent a password or token unencrypted; give an https address.`,
      );
    this.base = `${url.origin}${url.pathname.replace(/\/+$/, '')}/api/2.0/mlflow`;
    this.headers = {'content-type': 'application/json', ...(credentials && {authorization: credentials})};
  }

  /** The experiment of this name, made where there is none. */
  async experiment(name: string): Promise<string> {
    const found = await this.call(
      'GET',
      `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`,
      null,
      404,
    );
    const own = found?.['experiment'];
    if (isRecord(own) && own['lifecycle_stage'] === 'deleted')
      throw new SweepError(
        'mlflow',
        `The experiment ${name} at ${this.uri} was deleted; restore it there, or name another with --experiment.`,
      );
    if (isRecord(own)) return this.text(own['experiment_id']);
    const made = await this.call('POST', 'experiments/create', {name});
    return this.text(made?.['experiment_id']);
  }

  /** The runs of an experiment that have this value of a tag, with all their tags. */
  async runsTagged(experiment: string, tag: string, value: string): Promise<TrackedRun[]> {
    const filter = `tags.\`${tag}\` = '${value}'`;
    const runs: TrackedRun[] = [];
    let token: unknown;
    do {
      const page = await this.call('POST', 'runs/search', {
        ...{experiment_ids: [experiment], filter, max_results: 1000},
        ...(typeof token === 'string' && {page_token: token}),
      });
      for (const run of Array.isArray(page?.['runs']) ? page['runs'] : []) runs.push(this.runOf(run));
      token = page?.['next_page_token'];
    } while (typeof token === 'string' && token !== '');
    return runs;
  }

  /** @param start milliseconds since 1970 */
  async createRun(experiment: string, name: string, start: number, tags: readonly Pair[]): Promise<TrackedRun> {
    const made = await this.call('POST', 'runs/create', {
      experiment_id: experiment,
      run_name: name,
      start_time: start,
      tags,
    });
    return this.runOf(made?.['run']);
  }

  /** Settings of a run, which it keeps as they are. */
  async logParameters(run: string, pairs: readonly Pair[]): Promise<void> {
    for (let at = 0; at < pairs.length; at += mostPairs)
      await this.call('POST', 'runs/log-batch', {run_id: run, params: pairs.slice(at, at + mostPairs)});
  }

  /** At most `mostMetrics` numbers, and tags that are stored with them or not at all. */
  async logMetrics(run: string, metrics: readonly Metric[], tags: readonly Pair[]): Promise<void> {
    const numbers = metrics.map(metric => ({...metric, value: Number.isNaN(metric.value) ? 'NaN' : metric.value}));
    await this.call('POST', 'runs/log-batch', {run_id: run, metrics: numbers, tags});
  }

  /** @param end milliseconds since 1970; null while it runs */
  async updateRun(
    run: string,
    status: 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED',
    end: number | null,
  ): Promise<void> {
    await this.call('POST', 'runs/update', {run_id: run, status, ...(end !== null && {end_time: end})});
  }

  async deleteRun(run: string): Promise<void> {
    await this.call('POST', 'runs/delete', {run_id: run});
  }

  private runOf(value: unknown): TrackedRun {
    const {info, data} = isRecord(value) ? value : {};
    const tags = isRecord(data) && Array.isArray(data['tags']) ? data['tags'].filter(isRecord) : [];
    const entries = tags.map(({key, value: text}) => [String(key), String(text)] as const);
    return {id: this.text(isRecord(info) ? info['run_id'] : undefined), tags: Object.fromEntries(entries)};
  }

  private text(value: unknown): string {
    if (typeof value === 'string' && value !== '') return value;
    throw new SweepError('mlflow', `${this.uri} does not answer as an MLflow server does; is the address right?`);
  }

  /** The answer; null where its status is `absent`. */
  private async call(
    method: 'GET' | 'POST',
    path: string,
    body: object | null,
    absent?: number,
  ): Promise<Record<string, unknown> | null> {
    for (let tries = 1; ; tries++) {
      const response = await this.ask(method, path, body);
      const text = await response.text();
      if (response.ok) return this.parsed(text);
      if (response.status === absent) return null;
      if (tries < mostTries && [429, 502, 503, 504].includes(response.status)) {
        await wait(500 * 2 ** tries);
        continue;
      }
      const message = said(text) ?? `status ${response.status}`;
      const advice = [401, 403].includes(response.status)
        ? '; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD'
        : '';
      throw new SweepError(
        'mlflow',
        `The MLflow server at ${this.uri} refused ${path.split('?')[0]}: ${message}${advice}.`,
      );
    }
  }

  private async ask(method: 'GET' | 'POST', path: string, body: object | null): Promise<Response> {
    try {
      return await fetch(`${this.base}/${path}`, {
        method,
        headers: this.headers,
        signal: AbortSignal.timeout(silenceMilliseconds),
        // A token goes to the server that was named, and to no other.
        redirect: 'error',
        ...(body && {body: JSON.stringify(body)}),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new SweepError('mlflow', `The MLflow server at ${this.uri} cannot be reached (${cause}); is it running?`);
    }
  }

  private parsed(text: string): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(text || '{}');
      if (isRecord(value)) return value;
    } catch {
      // Said below.
    }
    throw new SweepError('mlflow', `${this.uri} does not answer as an MLflow server does; is the address right?`);
  }
}

/** What an answer says went wrong, in one line. */
function said(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value) && typeof value['message'] === 'string')
      return value['message'].split('\n')[0]!.replace(/\.$/, '').slice(0, 300);
  } catch {
    // A page of some proxy: its status says enough.
  }
  return undefined;
}

function credentialsOf({username, password}: URL): string | null {
  const {MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: name, MLFLOW_TRACKING_PASSWORD: secret} = process.env;
  if (token) return `Bearer ${token}`;
  const [user, pass] = username ? [decodeURIComponent(username), decodeURIComponent(password)] : [name, secret];
  return user ? `Basic ${Buffer.from(`${user}:${pass ?? ''}`).toString('base64')}` : null;
}
