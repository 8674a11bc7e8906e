/** The runs of a sweep, as the command lists them: asked anew where one of their folders has changed. */
import {readdir, stat} from 'node:fs/promises';
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
  /** The last rows that were told, of this mark or an earlier one; null before the first. */
  told: RunRow[] | null;
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
  async count(run: Run): Promise<number> {
    return (await foldersOf(run)).length;
  }

  /** The present run first, then earlier ones. */
  async rowsOf(run: Run): Promise<RunRow[]> {
    return (await this.#listing(run)).rows;
  }

  /**
   * The same for a tree, which is drawn at once: as they were told last, and once more when they are told anew. What is
   * chosen from the menu of a row whose tree is still being drawn would do nothing.
   */
  async shownOf(run: Run): Promise<RunRow[]> {
    const listed = await this.#listing(run);
    return listed.told ?? listed.rows;
  }

  async #listing(run: Run): Promise<Listed> {
    const folders = await foldersOf(run);
    const marks = await Promise.all(folders.map(folder => markOf(folder, folder === run.folder && run.alive)));
    const mark = marks.join('\n');
    const known = this.#listed.get(run.folder);
    if (known?.mark === mark) return known;
    const listed: Listed = {mark, rows: this.#ask(folders[0]), told: known?.told ?? null};
    this.#listed.set(run.folder, listed);
    void listed.rows.then(rows => {
      const isShownAnew = listed.told !== null;
      listed.told = rows;
      if (isShownAnew) this.#changed.fire();
    });
    return listed;
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
async function foldersOf({folder}: Run): Promise<string[]> {
  const [parent, own] = [dirname(folder), presentName(basename(folder))];
  // No sweep beside it may have run yet.
  const names = await readdir(parent).catch(() => []);
  const folders = names.filter(name => presentName(name) === own).map(name => join(parent, name));
  const found = await Promise.all(folders.map(one => stat(join(one, 'events.jsonl')).catch(() => null)));
  return folders.filter((_, k) => found[k] !== null);
}

/** Of a run at work only what people say of it: how it stands, its own rows tell. */
async function markOf(folder: string, isAtWork: boolean): Promise<string> {
  const names = isAtWork ? [aboutName] : [aboutName, 'events.jsonl'];
  const marks = names.map(async name => {
    const found = await stat(join(folder, name)).catch(() => null);
    return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
  });
  return [folder, isAtWork, ...(await Promise.all(marks))].join(' ');
}
