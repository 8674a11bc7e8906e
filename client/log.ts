/** What runs do, in the output channel: while it happens, and of earlier runs when it is asked for. */
import type {LogOutputChannel} from 'vscode';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import {type LogLine, logLines} from '../core/run/trials/log-lines.ts';
import type {Run} from './run/run.ts';

type Channel = Pick<LogOutputChannel, 'info' | 'warn' | 'error'> & {show(preserveFocus: boolean): void};
type Told = Pick<Run, 'folder' | 'state' | 'reading'>;

export class RunLog {
  readonly #channel: Channel;
  /** What was told of each run, by its folder. */
  readonly #told = new Map<string, RunState>();
  /** Runs whose whole story is in the channel. */
  readonly #whole = new Set<string>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Tells what is new. What a run did before this window followed it is told by `show` alone. */
  changed({folder, state, reading}: Told): void {
    if (reading !== null) {
      this.#told.delete(folder);
      return;
    }
    const before = this.#told.get(folder);
    this.#told.set(folder, state);
    if (before) this.#tell(state, logLines(before, state));
  }

  /** Brings the channel up, with all of the run in it. */
  show({folder, state}: Told, lastWords: string): void {
    if (!this.#whole.has(folder)) {
      this.#channel.info(`${folder}: what its events say, with their own times`);
      for (const line of logLines(emptyRun, state)) this.#tell(state, [{...line, text: `${timeOf(line)}${line.text}`}]);
    }
    this.#whole.add(folder);
    if (lastWords !== '') this.#channel.info(`${state.name}: last words: ${lastWords}`);
    this.#channel.show(true);
  }

  #tell({name}: RunState, lines: readonly LogLine[]): void {
    for (const {level, text} of lines) this.#channel[level](`${name}: ${text}`);
  }
}

function timeOf({at}: LogLine): string {
  return at === null ? '' : `${new Date(at).toLocaleString('sv-SE')} `;
}
