/** The sweep files of the workspace with their runs. */
import {dirname, join} from 'node:path';
import {type Disposable, EventEmitter, l10n, RelativePattern, Uri, window, workspace} from 'vscode';
import {runFolderName, runsFolder} from '../core/sweep/folder.ts';
import {readSweep} from '../core/sweep/read.ts';
import type {Sweep} from '../core/sweep/sweep.ts';
import {Beat} from './run/beat.ts';
import {Run, type RunListener} from './run/run.ts';

const pattern = '**/*.sweep.{yaml,yml}';

export interface SweepFile {
  uri: Uri;
  /** Undefined while the file has errors. */
  sweep: Sweep | undefined;
  /** Of the sweep as it was last readable. */
  run: Run | undefined;
}

export class Sweeps implements Disposable {
  readonly #files = new Map<string, SweepFile>();
  /** Runs without a sweep file of the workspace, by folder. */
  readonly #loose = new Map<string, Run>();
  /** Runs whose earlier events are being read. */
  readonly #attaching = new Map<Run, Promise<void>>();
  readonly #changed = new EventEmitter<SweepFile | undefined>();
  readonly #watchers: Disposable[] = [];
  readonly #listener: RunListener;
  readonly #beat: Beat<Run>;
  #found: Promise<void> | undefined;
  /** One file changed, or (undefined) there are others. */
  readonly onDidChange = this.#changed.event;

  /** @param listener `shown`: at a beat, together with `onDidChange`: what is shown of a run is to be shown anew */
  constructor(listener: RunListener & {shown(run: Run): void}) {
    this.#beat = new Beat(changed => {
      const now = Date.now();
      for (const run of changed) run.beat(now);
      for (const run of changed) {
        listener.shown(run);
        this.#changed.fire(this.#files.get(Uri.file(run.sweepFile).toString()));
      }
    });
    this.#listener = {
      ...listener,
      changed: run => {
        listener.changed(run);
        this.#beat.changed(run);
      },
    };
  }

  /** All sweep files; looked for when first asked. */
  async all(): Promise<SweepFile[]> {
    this.#found ??= this.#find();
    await this.#found;
    return [...this.#files.values()].sort((a, b) => a.uri.path.localeCompare(b.uri.path));
  }

  /** The sweep of a file, read again, with all of its run. */
  async of(uri: Uri): Promise<SweepFile> {
    const file = await this.now(uri);
    if (file.run) await this.#attaching.get(file.run);
    return file;
  }

  /** A file as it was last read; undefined where it was not. */
  known(uri: Uri): SweepFile | undefined {
    return this.#files.get(uri.toString());
  }

  /** The same, with as much of its run as is read by now. */
  now(uri: Uri): Promise<SweepFile> {
    return this.#read(uri);
  }

  /** The run of a folder, whether it belongs to a sweep file here or not (its `sweepFile` is empty then). */
  async at(folder: string): Promise<Run> {
    const own = (await this.all()).find(({run}) => run?.folder === folder)?.run;
    const known = own ?? this.#loose.get(folder);
    if (known) return known;
    return this.#attachLoose(folder);
  }

  async #attachLoose(folder: string): Promise<Run> {
    const run = new Run(folder, '', this.#listener);
    this.#loose.set(folder, run);
    await run.attach();
    return run;
  }

  /** The folder of a run was deleted. */
  gone(folder: string): void {
    this.#loose.get(folder)?.dispose();
    this.#loose.delete(folder);
  }

  get runs(): Run[] {
    const own = [...this.#files.values()].flatMap(({run}) => run ?? []);
    return [...own, ...this.#loose.values()];
  }

  /** Runs at work. */
  get alive(): Run[] {
    return this.runs.filter(({alive}) => alive);
  }

  /** Reads runs of tasks that stand still: others may have gone on with them. */
  lookAgain(): void {
    for (const run of this.runs) if (run.hasLeft) this.#attach(run);
  }

  dispose(): void {
    this.#beat.dispose();
    for (const watcher of this.#watchers) watcher.dispose();
    for (const {run} of this.#files.values()) run?.dispose();
    for (const run of this.#loose.values()) run.dispose();
  }

  async #find(): Promise<void> {
    const watcher = workspace.createFileSystemWatcher(pattern);
    const read = (uri: Uri) => {
      // A run folder keeps a copy of its sweep.
      if (uri.scheme === 'file' && !uri.path.includes(`/${runsFolder}/`))
        void this.#read(uri).then(() => this.#changed.fire(undefined));
    };
    watcher.onDidCreate(read);
    watcher.onDidChange(read);
    watcher.onDidDelete(uri => {
      this.#files.get(uri.toString())?.run?.dispose();
      this.#files.delete(uri.toString());
      this.#changed.fire(undefined);
    });
    // A run that was started elsewhere shows by its lock.
    const locks = workspace.createFileSystemWatcher(`**/${runsFolder}/*/run.lock`);
    locks.onDidCreate(lock => {
      for (const {run} of this.#files.values())
        if (run && join(run.folder, 'run.lock') === lock.fsPath) void run.attach();
    });
    // A run of tasks that was begun or handed over elsewhere, by a file of its own.
    const tasks = workspace.createFileSystemWatcher(`**/${runsFolder}/*/events/*.jsonl`, false, true, true);
    tasks.onDidCreate(({fsPath}) => {
      for (const {run} of this.#files.values())
        if (run && dirname(dirname(fsPath)) === run.folder && !run.isWatched) this.#attach(run);
    });
    this.#watchers.push(watcher, locks, tasks);
    for (const folder of workspace.workspaceFolders ?? []) {
      // Elsewhere nothing can be run.
      if (folder.uri.scheme !== 'file') continue;
      const uris = await workspace.findFiles(
        new RelativePattern(folder, pattern),
        `**/{node_modules,${runsFolder}}/**`,
      );
      await Promise.all(uris.map(uri => this.#read(uri)));
    }
    await this.#findOthers();
  }

  /** Runs at work that are of no sweep file here: of one that is gone or has another name by now, or of another command. */
  async #findOthers(): Promise<void> {
    const own = new Set([...this.#files.values()].map(({run}) => run?.folder));
    const found = await workspace.findFiles(`**/${runsFolder}/*/run.lock`, null);
    const folders = found
      .map(({fsPath}) => dirname(fsPath))
      .filter(folder => !own.has(folder) && !this.#loose.has(folder));
    await Promise.all(folders.map(folder => this.#attachLoose(folder)));
  }

  /** Without waiting for it: a long run takes its time, and what is read of it shows meanwhile. */
  #attach(run: Run): void {
    const attaching = run.attach().finally(() => this.#attaching.delete(run));
    // What goes wrong comes to whoever waits for it; nobody else needs it.
    attaching.catch(() => {});
    this.#attaching.set(run, attaching);
  }

  /** Its run is read behind it. */
  async #read(uri: Uri): Promise<SweepFile> {
    const key = uri.toString();
    const text = await textOf(uri);
    const {sweep} = readSweep(text, uri.fsPath);
    const folder = sweep && join(dirname(uri.fsPath), runsFolder, runFolderName(sweep.name));
    // Asked again: another reading of the same file may have ended meanwhile.
    const earlier = this.#files.get(key)?.run;
    const same = earlier && (folder === undefined || earlier.folder === folder) ? earlier : undefined;
    if (earlier && !same) earlier.dispose();
    const run = same ?? (folder === undefined ? undefined : new Run(folder, uri.fsPath, this.#listener));
    const file = {uri, sweep, run};
    this.#files.set(key, file);
    if (run && !same) this.#attach(run);
    return file;
  }
}

/** As the editor has it, where it is open. */
async function textOf(uri: Uri): Promise<string> {
  const open = workspace.textDocuments.find(document => document.uri.toString() === uri.toString());
  if (open) return open.getText();
  try {
    return new TextDecoder().decode(await workspace.fs.readFile(uri));
  } catch (error) {
    void window.setStatusBarMessage(
      l10n.t('{0} cannot be read: {1}', uri.fsPath, error instanceof Error ? error.message : String(error)),
      5000,
    );
    return '';
  }
}
