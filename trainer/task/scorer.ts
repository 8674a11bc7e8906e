/** A user's own scorer: a JavaScript module that exports `score({row, output}) → number | boolean`, in a process of its own. */
import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {SweepError} from '../../core/error.ts';
import {noTelemetry} from '../process/no-telemetry.ts';
import {within} from '../process/own-time.ts';
import {withoutDebugger} from '../process/signals.ts';
import {watch} from './watchdog.ts';

export interface Scorer {
  /** @throws SweepError `bad-scorer` */
  score(row: Record<string, unknown>, output: string): Promise<number | boolean>;
  close(): void;
}

/** Of one answer, in seconds of the scorer's own (own-time.ts). */
const limitSeconds = 10;

/** This file's neighbour, as source or as built. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './scorer-process.ts' : './scorer-process.js', import.meta.url),
);

export type FromScorer = {value: number | boolean} | {fault: string};

export function openScorer(file: string): Scorer {
  return new ScorerProcess(file);
}

/** The process starts with the first answer, and again where it had to be ended. */
class ScorerProcess implements Scorer {
  readonly #file: string;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(file: string) {
    this.#file = file;
  }

  score(row: Record<string, unknown>, output: string): Promise<number | boolean> {
    const next = this.#last.then(() => this.#one(row, output));
    this.#last = next.catch(() => {});
    return next;
  }

  close(): void {
    this.#closed = true;
    this.#child?.kill('SIGKILL');
  }

  async #one(row: Record<string, unknown>, output: string): Promise<number | boolean> {
    if (this.#closed) throw stopped();
    this.#child ??= start(this.#file);
    const asked = this.#child;
    const said = await answerOf(asked, row, output);
    if ('value' in said) return said.value;
    asked.kill('SIGKILL');
    this.#child = undefined;
    if (this.#closed) throw stopped();
    throw new SweepError('bad-scorer', `The scorer ${this.#file} ${said.fault}.`, {file: this.#file});
  }
}

const stopped = (): SweepError => new SweepError('stopped', 'The evaluation was stopped.');

function start(file: string): ChildProcess {
  const started = fork(program, [file], {
    env: {...noTelemetry, ELECTRON_RUN_AS_NODE: '1', PATH: process.env['PATH'] ?? ''},
    execArgv: withoutDebugger(),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'json',
  });
  watch(started);
  return started;
}

/** What the process says of one answer, or what is wrong with the process itself. */
async function answerOf(child: ChildProcess, row: Record<string, unknown>, output: string): Promise<FromScorer> {
  let settle = (_: FromScorer): void => {};
  const settled = new Promise<FromScorer>(resolve => {
    settle = resolve;
  });
  const onExit = (status: number | null) => settle({fault: `ended with status ${status}`});
  const onError = (error: Error) => settle({fault: `does not start (${error.message})`});
  child.on('message', settle).on('exit', onExit).on('error', onError);
  child.send({row, output});
  const said = await within(settled, limitSeconds, () => [child.pid]);
  child.off('message', settle).off('exit', onExit).off('error', onError);
  return said === 'late' ? {fault: `took longer than ${limitSeconds} s for an answer`} : said;
}
