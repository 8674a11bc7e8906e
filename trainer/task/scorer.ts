/** A user's own scorer: a JavaScript module that exports `score({row, output}) → number | boolean`, in a process of its own. */
import {fork} from 'node:child_process';
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
  const start = () => {
    const started = fork(program, [file], {
      env: {...noTelemetry, ELECTRON_RUN_AS_NODE: '1', PATH: process.env['PATH'] ?? ''},
      execArgv: withoutDebugger(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'json',
    });
    watch(started);
    return started;
  };
  let child: ReturnType<typeof start> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const one = (row: Record<string, unknown>, output: string) =>
    new Promise<number | boolean>((resolve, reject) => {
      if (closed) return reject(new SweepError('stopped', 'The evaluation was stopped.'));
      child ??= start();
      const asked = child;
      const end = (fault?: string) => {
        settle();
        asked.off('message', onMessage).off('exit', onExit).off('error', onError);
        if (fault === undefined) return;
        asked.kill('SIGKILL');
        child = undefined;
        reject(
          new SweepError(
            closed ? 'stopped' : 'bad-scorer',
            closed ? 'The evaluation was stopped.' : `The scorer ${file} ${fault}.`,
            {file},
          ),
        );
      };
      let settle = (): void => {};
      const settled = new Promise<void>(done => {
        settle = done;
      });
      void within(settled, limitSeconds, () => [asked.pid]).then(outcome => {
        if (outcome === 'late') end(`took longer than ${limitSeconds} s for an answer`);
      });
      const onMessage = (said: FromScorer) => {
        if ('fault' in said) return end(said.fault);
        end();
        resolve(said.value);
      };
      const onExit = (status: number | null) => end(`ended with status ${status}`);
      const onError = (error: Error) => end(`does not start (${error.message})`);
      asked.on('message', onMessage).on('exit', onExit).on('error', onError);
      asked.send({row, output});
    });
  return {
    score(row, output) {
      const next = last.then(() => one(row, output));
      last = next.catch(() => {});
      return next;
    },
    close() {
      closed = true;
      child?.kill('SIGKILL');
    },
  };
}
