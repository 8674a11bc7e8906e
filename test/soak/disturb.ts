/**
 * Runs that are disturbed: started, ended from outside at a chosen moment, started again until they are through, and compared with
 * a run that nobody disturbed.
 */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, watch} from 'node:fs';
import {join, relative} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {rowKinds} from '../../trainer/results/rows.ts';
import {showRun} from '../../trainer/results/show.ts';

const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));

export interface Place {
  sweepFile: string;
  /** Run folder. */
  out: string;
  /** Caches, temporary files: looked through at the end. */
  cache: string;
  temporary: string;
}

/** The moment at which a run is ended: so many milliseconds after its start, after a line of `--json`, or after a file moved. */
export type Moment = {after: number} | {line: RegExp; nth: number} | {file: RegExp; nth: number};

export interface Disturbance {
  signals: NodeJS.Signals[];
  moment: Moment;
  /** Milliseconds between the signals. */
  apart: number;
}

export interface Ending {
  status: number | null;
  signal: NodeJS.Signals | null;
  errors: string;
  /** It had stored its start: what comes before that is Node's own beginning, which a signal ends as it ends any program. */
  began: boolean;
  /** The signal came before the run was through. */
  disturbed: boolean;
  /** The processes of the run when the signal came. */
  processes: number[];
}

/** Runs the command with a sweep; ends it as `disturbance` says, if it says so. */
export async function run(place: Place, disturbance?: Disturbance, verb = 'run'): Promise<Ending> {
  mkdirSync(place.temporary, {recursive: true});
  const args = verb === 'run' ? ['run', place.sweepFile, '--out', place.out, '--resume', '--json'] : [verb, place.out];
  const child = spawn(process.execPath, [program, ...args], {
    // What onnxruntime tells its makers goes through the folder for temporary files, too.
    env: {...process.env, ORT_DISABLE_TELEMETRY: '1', LORA_SWEEP_CACHE: place.cache, TMPDIR: place.temporary},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [errors, began] = ['', false];
  child.stdout.on('data', (text: Buffer) => {
    began ||= text.includes('"run-started"');
  });
  child.stdout.pause();
  child.stderr.on('data', (text: Buffer) => {
    errors += text;
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>(resolve => {
    child.on('close', (status, signal) => resolve([status, signal]));
  });
  const watched = disturbance ? await disturb(child, place, disturbance) : {disturbed: false, processes: []};
  // Read to its end, or the run would wait for a reader.
  child.stdout.resume();
  const [status, signal] = await ended;
  return {status, signal, errors, began, ...watched};
}

async function disturb(
  child: ChildProcess,
  place: Place,
  {signals, moment, apart}: Disturbance,
): Promise<Pick<Ending, 'disturbed' | 'processes'>> {
  const over = new AbortController();
  child.once('close', () => over.abort());
  await Promise.race([reached(child, place, moment, over.signal), once(over.signal)]);
  if (over.signal.aborted || child.exitCode !== null) return {disturbed: false, processes: []};
  const processes = familyOf(child.pid!);
  for (const [i, signal] of signals.entries()) {
    if (i > 0) await sleep(apart);
    child.kill(signal);
  }
  return {disturbed: true, processes};
}

const once = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), {once: true}));

async function reached(child: ChildProcess, place: Place, moment: Moment, over: AbortSignal): Promise<void> {
  if ('after' in moment) return void (await sleep(moment.after, undefined, {signal: over}).catch(() => {}));
  let left = moment.nth;
  if ('line' in moment) {
    let held = '';
    return new Promise(resolve => {
      child.stdout!.on('data', (text: Buffer) => {
        const lines = (held + text).split('\n');
        held = lines.pop()!;
        for (const line of lines) if (moment.line.test(line) && --left === 0) resolve();
      });
    });
  }
  // Folders are watched from when they are there.
  child.stdout!.resume();
  const closers: (() => void)[] = [];
  const seen = new Set<string>();
  await new Promise<void>(resolve => {
    over.addEventListener('abort', () => resolve(), {once: true});
    const look = setInterval(() => {
      for (const folder of ['', 'checkpoints', 'samples', 'adapters'].map(name => join(place.out, name))) {
        if (seen.has(folder) || !existsSync(folder)) continue;
        seen.add(folder);
        const watcher = watch(folder, (_, name) => {
          if (name && moment.file.test(name) && --left === 0) resolve();
        });
        watcher.on('error', () => {});
        closers.push(() => watcher.close());
      }
    }, 5);
    closers.push(() => clearInterval(look));
  });
  for (const close of closers) close();
}

/** A process with all that it has started, by their ids. */
function familyOf(root: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], {encoding: 'utf8'})
    .trim()
    .split('\n')
    .map(row => row.trim().split(/\s+/).map(Number) as [number, number]);
  const family = [root];
  for (const parent of family) family.push(...rows.filter(([, of]) => of === parent).map(([pid]) => pid));
  return family;
}

/** Those of these processes that can still do something, after they had a while to end. */
export async function leftOf(processes: readonly number[]): Promise<number[]> {
  const lives = (pid: number) => {
    try {
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };
  for (let tries = 0; tries < 100 && processes.some(lives); tries++) await sleep(100);
  return processes.filter(lives);
}

/** Everything that a run has come to, times aside, by name: the rows of every table, and every adapter. */
export async function results({out}: Pick<Place, 'out'>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const kind of rowKinds) {
    const {lines} = await showRun(out, kind, 'json');
    const rows = JSON.parse([...lines].join('\n')) as Record<string, unknown>[];
    // Where a run lies and how long it took are its own.
    const kept = rows.map(({seconds: _, file: __, ...row}) => JSON.stringify(row));
    found.set(`rows of ${kind}`, kept.join('\n'));
  }
  for (const file of filesIn(join(out, 'adapters')))
    found.set(relative(out, file), createHash('sha256').update(readFileSync(file)).digest('hex'));
  return found;
}

/** Names of everything in a folder and the ones in it. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .map(name => join(folder, name))
    .filter(file => !statSync(file, {throwIfNoEntry: false})?.isDirectory())
    .sort();
}

/** What differs between two runs, as lines for people; empty where nothing does. */
export function differences(expected: Map<string, string>, found: Map<string, string>): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap(name => {
    const [a, b] = [expected.get(name), found.get(name)];
    if (a === b) return [];
    if (a === undefined || b === undefined) return [`${name} is ${a === undefined ? 'too much' : 'missing'}`];
    const [before, after] = [a.split('\n'), b.split('\n')];
    const at = before.findIndex((line, k) => line !== after[k]);
    const place = at < 0 ? before.length : at;
    return [
      `${name} differs in line ${place + 1}: ${before[place]} / ${after[place]} (${before.length}, ${after.length} lines)`,
    ];
  });
}

/** Files that a run has left which do not belong to it: `expected` are those of an undisturbed one. */
export function litter({out, cache, temporary}: Place, expected: string): string[] {
  const own = (folder: string) => filesIn(folder).map(file => relative(folder, file));
  const wanted = new Set(own(expected));
  // What is paused keeps its checkpoint; one that was stopped on the way there has the one before it as well.
  const strange = own(out).filter(name => !wanted.has(name.replace('.before.safetensors', '.safetensors')));
  const half = filesIn(cache).filter(file => file.endsWith('.tmp'));
  return [...strange, ...half, ...filesIn(temporary)];
}
