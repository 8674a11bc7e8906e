/** The command `lora-sweep` as the extension carries it: started with the editor's own Node. */
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {closeSync, mkdirSync, openSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import type {Status} from '../core/run/tasks/status.ts';

export class Program {
  /** The built command. */
  readonly file: string;
  readonly #logs: string;

  /** `logs`: a folder for the last words of runs. */
  constructor(file: string, logs: string) {
    this.file = file;
    this.#logs = logs;
  }

  /** In Electron the editor is Node only when it is told to be. onnxruntime's telemetry is off, here as in the program itself. */
  get #env(): NodeJS.ProcessEnv {
    return {...process.env, ELECTRON_RUN_AS_NODE: '1', ORT_DISABLE_TELEMETRY: '1'};
  }

  /**
   * Starts a run that goes on when the window closes: nothing ties it to this process. Its events are read from the run
   * folder, those before there is one come as messages; what it says on standard error goes into the folder's log.
   */
  startRun(args: readonly string[], sweepFile: string, folder: string): ChildProcess {
    mkdirSync(this.#logs, {recursive: true});
    const log = openSync(this.logOf(folder), 'w');
    try {
      const child = spawn(process.execPath, [this.file, ...args], {
        cwd: dirname(sweepFile),
        env: this.#env,
        detached: true,
        stdio: ['ignore', 'ignore', log, 'ipc'],
        windowsHide: true,
      });
      child.unref();
      child.channel?.unref();
      return child;
    } finally {
      closeSync(log);
    }
  }

  /** Runs a short command to its end. `text` is what it printed; where it failed, what it said about that. `printed`: in either case. */
  run(args: readonly string[], cwd: string): Promise<{ok: boolean; text: string; printed: string}> {
    const options = {cwd, env: this.#env, maxBuffer: 1 << 28, windowsHide: true};
    return new Promise(resolve => {
      execFile(process.execPath, [this.file, ...args], options, (error, out, errors) => {
        resolve({ok: !error, text: error ? errors.trim() || error.message : out, printed: out});
      });
    });
  }

  /** How a run stands, with what a scheduler says of its jobs; undefined where that cannot be found out. */
  async status(folder: string): Promise<Status | undefined> {
    const {ok, text} = await this.run(['status', folder, '--json'], folder);
    return ok ? (JSON.parse(text) as Status) : undefined;
  }

  /**
   * The same, of a command that says how far it is: `hear` gets its messages, `signal` ends it as Ctrl-C does.
   */
  runTelling(
    args: readonly string[],
    cwd: string,
    hear: (message: unknown) => void,
    signal: AbortSignal,
  ): Promise<{ok: boolean; text: string}> {
    const child = spawn(process.execPath, [this.file, ...args], {
      cwd,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
    });
    const end = (): void => void child.kill('SIGINT');
    signal.addEventListener('abort', end, {once: true});
    let [printed, errors] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', text => {
      printed += text;
    });
    child.stderr?.setEncoding('utf8').on('data', text => {
      errors += text;
    });
    child.on('message', hear);
    return new Promise(resolve => {
      child.once('error', ({message}) => resolve({ok: false, text: message}));
      child.once('close', status => {
        signal.removeEventListener('abort', end);
        resolve(status === 0 ? {ok: true, text: printed} : {ok: false, text: lastLines(errors) || `status ${status}`});
      });
    });
  }

  /** The log of a run folder, also of a run that another window started. */
  logOf(folder: string): string {
    return join(this.#logs, `${createHash('sha256').update(folder).digest('hex').slice(0, 16)}.log`);
  }

  /** What the run of a folder said last; empty where it said nothing. */
  lastWords(folder: string): string {
    try {
      return lastLines(readFileSync(this.logOf(folder), 'utf8'));
    } catch {
      // It was started elsewhere, or its log was cleared away.
      return '';
    }
  }
}

const own = 'lora-sweep: ';
/** Where in a program it ended is for its makers: frames, addresses, the version, the line with the mark under it. */
const trace =
  /^\s+at |^\s*\d+: (0x)?[0-9a-f]+ |^-----|^\s*\^+\s*$|^Node\.js v|^(file|node):\S+:\d+$|^Aborted|^Thrown at:/;

/** What a log says last, short enough for a message: the program's own sentence where there is one, else the last lines. */
export function lastLines(log: string): string {
  const lines = log
    .split(/\r?\n/)
    // Nothing that steers a terminal comes into a message.
    .map(line => stripVTControlCharacters(line).replaceAll(/\p{Cc}/gu, ' '))
    .filter(line => line.trim() !== '' && !trace.test(line));
  const sentence = lines.findLast(line => line.startsWith(own));
  return (sentence ? [sentence] : lines.slice(-3))
    .map(line => (line.startsWith(own) ? line.slice(own.length) : line).trim())
    .join(' ')
    .slice(-400);
}
