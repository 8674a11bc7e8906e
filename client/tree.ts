/** The tree view: sweep → method → rate → seed. */
import {
  Disposable,
  EventEmitter,
  l10n,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  workspace,
} from 'vscode';
import type {TrialState} from '../core/run/events.ts';
import {trialsOf} from '../core/run/trials/known-trials.ts';
import {isSettled} from '../core/search/comparing/settled.ts';
import {taskBranches} from './cluster/task-branches.ts';
import {groupOf, runBranches} from './history/branches.ts';
import type {History} from './history/history.ts';
import {sweepLabel} from './status-text.ts';
import type {SweepFile, Sweeps} from './sweeps.ts';
import {type Branch, branchesOf} from './tree-model.ts';

/** What a row stands for, and what its commands are given. */
export type Row = {file: SweepFile; branch?: Branch};

const icons: Readonly<Record<TrialState, ThemeIcon>> = {
  waiting: new ThemeIcon('circle-outline'),
  running: new ThemeIcon('sync~spin'),
  paused: new ThemeIcon('clock'),
  finished: new ThemeIcon('pass', new ThemeColor('testing.iconPassed')),
  diverged: new ThemeIcon('flame', new ThemeColor('list.warningForeground')),
  failed: new ThemeIcon('error', new ThemeColor('list.errorForeground')),
  stopped: new ThemeIcon('debug-pause'),
};

/** Of rows that only hold others. */
const groupIcons: Readonly<Partial<Record<Branch['kind'], ThemeIcon>>> = {
  history: new ThemeIcon('history'),
  archived: new ThemeIcon('archive'),
};

export class TrialsTree implements TreeDataProvider<Row>, Disposable {
  readonly #sweeps: Sweeps;
  readonly #history: History;
  /** Rows of sweep files, by their URI: what changed in one leaves the rows of the others as they are. */
  readonly #rows = new Map<string, Row>();
  readonly #changed = new EventEmitter<Row | Row[] | undefined>();
  readonly #subscription: Disposable;
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(sweeps: Sweeps, history: History) {
    this.#sweeps = sweeps;
    this.#history = history;
    this.#subscription = Disposable.from(
      sweeps.onDidChange(file => this.#changed.fire(file && this.#rowOf(file))),
      history.onDidChange(() => this.#changed.fire([...this.#rows.values()])),
    );
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (!row) return (await this.#sweeps.all()).map(file => this.#rowOf(file));
    const {file, branch} = row;
    if (branch?.kind === 'history') return (await this.#runsOf(file)).map(child => ({file, branch: child}));
    if (branch) return branch.children.map(child => ({file, branch: child}));
    if (!file.sweep) return [];
    // Of a long run all is told when all of it is read.
    const state = file.run?.reading === null ? file.run.state : null;
    const tasks = state ? taskBranches(state, file.run?.queue) : [];
    const history = await this.#historyOf(file);
    return [...branchesOf(file.sweep, state), ...tasks, ...history].map(child => ({file, branch: child}));
  }

  #rowOf(file: SweepFile): Row {
    const key = file.uri.toString();
    const row = this.#rows.get(key) ?? {file};
    row.file = file;
    this.#rows.set(key, row);
    return row;
  }

  /** Its children are looked for when it is opened. */
  async #historyOf({run}: SweepFile): Promise<Branch[]> {
    const number = run ? await this.#history.count(run) : 0;
    return number > 0 ? [groupOf('history', l10n.t('History'), [], number)] : [];
  }

  async #runsOf({run}: SweepFile): Promise<Branch[]> {
    return run ? runBranches(await this.#history.shownOf(run), run) : [];
  }

  getTreeItem({file, branch}: Row): TreeItem {
    if (!branch) return sweepItem(file);
    const {kind, label, description, state, id, children} = branch;
    const collapsed =
      children.length > 0 || kind === 'history' ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None;
    const item = new TreeItem(label, collapsed);
    item.id = `${file.uri.toString()} ${kind} ${id}`;
    item.description = description;
    item.iconPath = groupIcons[kind] ?? icons[state];
    item.tooltip =
      branch.tooltip ??
      `${kind === 'trial' ? id : label}: ${state}${kind === 'task' || kind === 'job' ? `\n${description}` : ''}`;
    item.contextValue = branch.context ?? `${kind}-${state}`;
    const spoken = [label, ...(groupIcons[kind] ? [] : [state]), description].filter(Boolean);
    item.accessibilityInformation = {label: spoken.join(', ')};
    return item;
  }
}

/** What can be done with a sweep's row; `sweep-queued`: a scheduler has it, `sweep-left`: tasks that nobody works on. */
function contextOf(run: SweepFile['run'], isFinished: boolean): string {
  if (run?.awaited) return 'sweep-queued';
  if (run?.alive) return 'sweep-running';
  if (run?.hasLeft) return 'sweep-left';
  return isFinished ? 'sweep-finished' : 'sweep';
}

function sweepItem({uri, sweep, run}: SweepFile): TreeItem {
  const item = new TreeItem(
    sweep?.name ?? workspace.asRelativePath(uri),
    sweep ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.None,
  );
  item.id = uri.toString();
  item.resourceUri = uri;
  item.tooltip = workspace.asRelativePath(uri);
  item.command = {command: 'vscode.open', title: l10n.t('Open'), arguments: [uri]};
  const isFinished = sweep && run && !run.alive && isSettled(sweep, trialsOf(sweep, run.state), run.state);
  item.contextValue = contextOf(run, isFinished === true);
  item.iconPath = sweep ? new ThemeIcon(run?.alive ? 'sync~spin' : 'beaker') : new ThemeIcon('error');
  item.description = !sweep
    ? l10n.t('has errors')
    : run && (run.reading !== null || run.alive || run.state.trials.length > 0)
      ? run.said
      : '';
  const name = sweep?.name ?? workspace.asRelativePath(uri);
  const label = sweepLabel(name, !sweep, run?.alive ?? false, sweep ? item.description : '');
  item.accessibilityInformation = {label};
  return item;
}
