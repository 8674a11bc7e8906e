/** Handing tasks to Slurm: all jobs of a round, or none. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {discard, insideRun, writeWhole} from '../../files/write-whole.ts';
import {arraysOf, halfOf, type Limits, type TaskArray} from './array.ts';
import {cancelJobs, fileScript, isForNumber, limitsHere} from './commands.ts';
import {arrayScript, prepareScript, relayScript, type ScriptOf} from './script.ts';

/** What is handed over. */
export interface Filing extends ScriptOf {
  tasks: readonly string[];
  /** From 1. */
  round: number;
  /** Whether a job fills the caches before. */
  prepare: boolean;
  /** Seconds that the arrays wait before they begin. */
  pause?: number;
  /** Options that the relay is to have for its own submissions; absent: no relay. */
  relay?: readonly string[];
}

/** An array that Slurm has taken. */
export interface FiledArray extends TaskArray {
  job: string;
  /** In the run folder, e.g. `slurm/submit-0001.sh`. */
  script: string;
}

export interface Filed {
  arrays: FiledArray[];
  prepare?: string;
  relay?: string;
}

/** A script under the name that it is kept by. */
export interface NamedScript {
  /** In the run folder, e.g. `slurm/submit-0001.sh`. */
  name: string;
  text: string;
}

export const scriptsFolder = 'slurm';
const logsFolder = 'logs';

/** All scripts of a round, as they would be filed in a cluster with these limits. */
export function scriptsOf(filing: Filing, limits: Limits): NamedScript[] {
  const from = nextNumber(filing.folder);
  const arrays = arraysOf(filing.tasks, limits).map((array, k) => arrayNamed(filing, array, from + k));
  const prepare = filing.prepare ? [smallNamed('prepare', from, prepareScript(filing))] : [];
  const relay = filing.relay ? [smallNamed('relay', from, relayScript(filing, filing.relay))] : [];
  return [...prepare, ...arrays, ...relay];
}

const arrayNamed = (of: ScriptOf, array: TaskArray, number: number): NamedScript => ({
  name: `${scriptsFolder}/submit-${padded(number)}.sh`,
  text: arrayScript(of, array),
});

const smallNamed = (kind: 'prepare' | 'relay', number: number, text: string): NamedScript => ({
  name: `${scriptsFolder}/${kind}-${padded(number)}.sh`,
  text,
});

const padded = (number: number): string => String(number).padStart(4, '0');

/** One beyond the scripts that are kept. */
function nextNumber(folder: string): number {
  const path = join(folder, scriptsFolder);
  const names = existsSync(path) ? readdirSync(path) : [];
  return 1 + Math.max(0, ...names.map(name => Number(/^submit-(\d+)\.sh$/.exec(name)?.[1] ?? 0)));
}

/**
 * Files the jobs of a round. A cluster that takes no more jobs of this user is given fewer; the relay files the others when these
 * have ended. What it refuses otherwise leaves nothing in the queue and no script behind.
 * @throws SweepError `no-scheduler`, `refused`, `disk-full`, `cannot-write`
 */
export async function fileRound(filing: Filing): Promise<Filed> {
  const round = new FilingRound(filing);
  try {
    return await round.file(await limitsHere());
  } catch (error) {
    await round.undo(error);
    throw error;
  }
}

class FilingRound {
  readonly #filing: Filing;
  readonly #filed: string[] = [];
  readonly #written: string[] = [];

  constructor(filing: Filing) {
    this.#filing = filing;
  }

  async file(limits: Limits): Promise<Filed> {
    const filing = this.#filing;
    insideRun(filing.folder, scriptsFolder);
    insideRun(filing.folder, logsFolder);
    const from = nextNumber(filing.folder);
    const prepare = filing.prepare
      ? await this.#fileScript(smallNamed('prepare', from, prepareScript(filing)))
      : undefined;
    const arrays = await this.#fileArrays(arraysOf(filing.tasks, limits), prepare === undefined ? [] : [prepare]);
    const jobs = arrays.map(({job}) => job);
    const relay = filing.relay
      ? await this.#fileScript(smallNamed('relay', from, relayScript(filing, filing.relay)), jobs)
      : undefined;
    return {arrays, ...(prepare !== undefined && {prepare}), ...(relay !== undefined && {relay})};
  }

  /** As many as are taken. Where only so many tasks are to run at a time, an array waits for the one before. */
  async #fileArrays(wanted: readonly TaskArray[], prepared: readonly string[]): Promise<FiledArray[]> {
    const filed: FiledArray[] = [];
    const waiting = [...wanted];
    for (let array = waiting.shift(); array; array = waiting.shift()) {
      const last = filed.at(-1)?.job;
      const after = last !== undefined && this.#filing.options.arrayLimit !== undefined ? [last] : prepared;
      const script = arrayNamed(this.#filing, array, nextNumber(this.#filing.folder));
      try {
        const job = await this.#fileScript(script, after, this.#filing.pause);
        filed.push({...array, job, script: script.name});
      } catch (error) {
        if (!isForNumber(error) || !this.#filing.relay) throw error;
        discard(join(this.#filing.folder, script.name));
        // Some are in the queue: the relay sees to the others.
        if (filed.length > 0) break;
        if (array.tasks.length === 1) throw error;
        waiting.splice(0, waiting.length, halfOf(array));
      }
    }
    return filed;
  }

  async #fileScript({name, text}: NamedScript, after: readonly string[] = [], pause = 0): Promise<string> {
    const path = join(this.#filing.folder, name);
    writeWhole(path, text);
    this.#written.push(path);
    const job = await fileScript(path, after, pause);
    this.#filed.push(job);
    return job;
  }

  /** Takes back what was filed. @throws SweepError `half-filed` where Slurm does not let it be taken back */
  async undo(error: unknown): Promise<void> {
    try {
      await cancelJobs(this.#filed);
    } catch {
      const why = error instanceof Error ? error.message : String(error);
      throw new SweepError(
        'half-filed',
        `${why} Jobs ${this.#filed.join(' ')} were filed before: take them out with scancel.`,
      );
    }
    for (const path of this.#written) discard(path);
  }
}
