/** A user's own scorer: a JavaScript module that exports `score({row, output}) → number | boolean`, in a process of its own. */
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {SweepError} from '../../core/error.ts';

export interface Scorer {
  /** @throws SweepError `bad-scorer` */
  score(row: Record<string, unknown>, output: string): Promise<number | boolean>;
  close(): void;
}

/** Of one answer. */
const limitMilliseconds = 10_000;

/** This file's neighbour, as source or as built. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './scorer-process.ts' : './scorer-process.js', import.meta.url),
);

export type FromScorer = {value: number | boolean} | {fault: string};

export function openScorer(file: string): Scorer {
  const start = () =>
    fork(program, [file], {
      env: {ELECTRON_RUN_AS_NODE: '1', PATH: process.env['PATH'] ?? ''},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'json',
    });
  let child: ReturnType<typeof start> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const close = (): void => {
    closed = true;
    child?.kill('SIGKILL');
    process.off('exit', close);
  };
  process.on('exit', close);

  const one = (row: Record<string, unknown>, output: string) =>
    new Promise<number | boolean>((resolve, reject) => {
      if (closed) return reject(new SweepError('stopped', 'The evaluation was stopped.'));
      child ??= start();
      const asked = child;
      const end = (fault?: string) => {
        clearTimeout(timer);
        asked.removeAllListeners();
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
      const timer = setTimeout(end, limitMilliseconds, `took longer than ${limitMilliseconds / 1000} s for an answer`);
      asked.once('message', (said: FromScorer) => {
        if ('fault' in said) end(said.fault);
        else {
          end();
          resolve(said.value);
        }
      });
      asked.once('exit', status => end(`ended with status ${status}`));
      asked.once('error', error => end(`does not start (${error.message})`));
      asked.send({row, output});
    });
  return {
    score(row, output) {
      const next = last.then(() => one(row, output));
      last = next.catch(() => {});
      return next;
    },
    close,
  };
}
