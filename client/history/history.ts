/** The runs of a sweep, as the command lists them: asked anew where one of their folders has changed. */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {Disposable, EventEmitter, window, workspace} from 'vscode';
import {aboutName} from '../../core/run/history/about.ts';
import {presentName} from '../../core/run/history/earlier.ts';
import type {RunRow} from '../../core/run/history/row.ts';
import {runsFolder} from '../../core/sweep/folder.ts';
import type {Program} from '../program.ts';
import type {Run} from '../run/run.ts';

interface Listed {
  /** What of the folders the rows go by. */
  mark: string;
  rows: Promise<RunRow[]>;
}

export class History implements Disposable {
  readonly #program: Program;
  /** By the folder of the present run. */
  readonly #listed = new Map<string, Listed>();
  readonly #changed = new EventEmitter<void>();
  readonly #watching: Disposable;
  readonly onDidChange = this.#changed.event;

  constructor(program: Program) {
    this.#program = program;
    const fire = () => this.#changed.fire();
    const watchers = [`**/${runsFolder}/*`, `**/${runsFolder}/*/${aboutName}`].map(pattern => {
      const watcher = workspace.createFileSystemWatcher(pattern);
      return Disposable.from(watcher, watcher.onDidCreate(fire), watcher.onDidChange(fire), watcher.onDidDelete(fire));
    });
    this.#watching = Disposable.from(...watchers);
  }

  /** How many runs of its sweep there are, the present one among them. */
  count(run: Run): number {
    return foldersOf(run).length;
  }

  /** The present run first, then earlier ones. */
  rowsOf(run: Run): Promise<RunRow[]> {
    const folders = foldersOf(run);
    const mark = folders.map(folder => markOf(folder, folder === run.folder && run.alive)).join('\n');
    const known = this.#listed.get(run.folder);
    if (known?.mark === mark) return known.rows;
    const rows = this.#ask(folders[0]);
    this.#listed.set(run.folder, {mark, rows});
    return rows;
  }

  /** Something was said of a run, or it is gone. */
  changed(): void {
    this.#changed.fire();
  }

  dispose(): void {
    this.#watching.dispose();
    this.#changed.dispose();
  }

  async #ask(folder: string | undefined): Promise<RunRow[]> {
    if (folder === undefined) return [];
    const {ok, text} = await this.#program.run(['runs', folder, '--json'], dirname(folder));
    if (ok) return JSON.parse(text) as RunRow[];
    void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
    return [];
  }
}

/** Folders of the runs of a sweep. */
function foldersOf({folder}: Run): string[] {
  const [parent, own] = [dirname(folder), presentName(basename(folder))];
  try {
    return readdirSync(parent)
      .filter(name => presentName(name) === own)
      .map(name => join(parent, name))
      .filter(one => existsSync(join(one, 'events.jsonl')));
  } catch {
    // No sweep beside it has run yet.
    return [];
  }
}

/** Of a run at work only what people say of it: how it stands, its own rows tell. */
function markOf(folder: string, isAtWork: boolean): string {
  const marks = (isAtWork ? [aboutName] : [aboutName, 'events.jsonl']).map(name => {
    const found = statSync(join(folder, name), {throwIfNoEntry: false});
    return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
  });
  return [folder, isAtWork, ...marks].join(' ');
}
