/** The built command as processes in a folder, and what a run comes to. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {hashAdapter} from '../../trainer/adapter/hash-adapter.ts';

const program = join(import.meta.dirname, '../../dist/trainer/cli.js');

export interface Started {
  child: ChildProcess;
  /** Its status, and what it said of errors and remarks. */
  ended: Promise<{code: number | null; signal: string | null; said: string}>;
}

export type Output = (...words: string[]) => string;

/** With a cache of the folder's own. */
export function commandIn(folder: string): {
  start(words: readonly string[], more?: Record<string, string>): Started;
  output: Output;
} {
  const environment = {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache')};
  return {
    start(words, more = {}) {
      const child = spawn(process.execPath, [program, ...words], {cwd: folder, env: {...environment, ...more}});
      let said = '';
      child.stdout.resume();
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<Awaited<Started['ended']>>(resolve => {
        child.once('close', (code, signal) => resolve({code, signal, said}));
      });
      return {child, ended};
    },
    output: (...words) =>
      execFileSync(process.execPath, [program, ...words], {cwd: folder, env: environment, encoding: 'utf8'}),
  };
}

/** All that is compared, times aside: the rows of every kind, and the adapters' bytes. */
export async function outcomeOf(out: string, output: Output): Promise<Record<string, string>> {
  const kinds = ['steps', 'evaluations', 'curvature', 'peaks'];
  const rows = kinds.map(kind => [kind, output('show', out, '--rows', kind, '--format', 'csv')] as const);
  const home = join(out, 'adapters');
  const adapters = readdirSync(home).map(async name => [name, await hashAdapter(join(home, name))] as const);
  return Object.fromEntries([...rows, ...(await Promise.all(adapters))]);
}
