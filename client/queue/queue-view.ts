/** The queue of sweeps as a view of its own, shown while something waits. */
import {
  commands,
  type Disposable,
  EventEmitter,
  l10n,
  type Memento,
  ThemeIcon,
  TreeItem,
  Uri,
  window,
  workspace,
} from 'vscode';
import {registerCommand} from '../row-command.ts';
import type {Run} from '../run/run.ts';
import type {Sweeps} from '../sweeps.ts';
import {Queue} from './queue.ts';

export interface QueueHost {
  sweeps: Sweeps;
  /** Starts a sweep, or goes on with it. */
  start(uri: Uri): Promise<void>;
}

export class QueueView implements Disposable {
  readonly #sweeps: Sweeps;
  readonly #queue: Queue;
  readonly #changed = new EventEmitter<undefined>();
  readonly #disposables: Disposable[];
  /** Runs that were at work at the last look. */
  #busy = new Set<Run>();

  constructor(store: Memento, {sweeps, start}: QueueHost) {
    this.#sweeps = sweeps;
    this.#queue = new Queue(store, {
      isBusy: () => ownRuns(sweeps).length > 0,
      start: uri => start(Uri.parse(uri)),
      changed: () => this.#show(),
    });
    const view = window.createTreeView('loraSweep.queue', {
      treeDataProvider: {
        onDidChangeTreeData: this.#changed.event,
        getChildren: (uri?: string) => (uri === undefined ? [...this.#queue.waiting] : []),
        getTreeItem: uri => this.#itemOf(uri),
      },
    });
    this.#changed.event(() => {
      view.message = this.#queue.paused ? l10n.t('Nothing starts by itself: Start Next goes on.') : '';
    });
    this.#disposables = [view, this.#changed, sweeps.onDidChange(() => void this.#look())];
    this.#show();
    if (this.#queue.waiting.length > 0) void this.#find();
    else void this.#queue.ready();
  }

  /** Commands, each of which is given an item of the view or finds its own. */
  register(): Disposable[] {
    return [
      registerCommand<string>('queueRemove', async uri => {
        if (uri !== undefined) await this.#queue.remove(uri);
      }),
      commands.registerCommand('loraSweep.queueClear', () => this.#queue.clear()),
      commands.registerCommand('loraSweep.queueStart', () => this.#queue.goOn()),
    ];
  }

  async add(uri: Uri): Promise<void> {
    const isBusy = ownRuns(this.#sweeps).length > 0;
    await this.#queue.add(uri.toString());
    if (isBusy) void window.setStatusBarMessage(l10n.t('{0} waits in the queue.', nameOf(uri)), 5000);
  }

  /** Somebody stopped a run. */
  stopped(): void {
    void this.#queue.pause();
  }

  dispose(): void {
    for (const one of this.#disposables) one.dispose();
  }

  /** Runs that go on from before a reload are at work; where there is none, the user says when it goes on. */
  async #find(): Promise<void> {
    const files = await this.#sweeps.all();
    await Promise.all(files.map(({uri}) => this.#sweeps.of(uri)));
    await this.#queue.ready();
    if (!this.#queue.paused) return;
    const [next, clear] = [l10n.t('Start Next'), l10n.t('Clear')];
    const message = l10n.t('{0} in the queue of sweeps; nothing is being trained.', this.#queue.waiting.length);
    const choice = await window.showInformationMessage(message, next, clear);
    if (choice === next) await this.#queue.goOn();
    if (choice === clear) await this.#queue.clear();
  }

  async #look(): Promise<void> {
    const busy = new Set(ownRuns(this.#sweeps));
    const ended = [...this.#busy].filter(run => !busy.has(run));
    this.#busy = busy;
    if (ended.some(({wasStopped}) => wasStopped)) await this.#queue.pause();
    await this.#queue.look();
  }

  #show(): void {
    void commands.executeCommand('setContext', 'loraSweep.hasQueue', this.#queue.waiting.length > 0);
    this.#changed.fire(undefined);
  }

  #itemOf(text: string): TreeItem {
    const uri = Uri.parse(text);
    const place = this.#queue.waiting.indexOf(text) + 1;
    const item = new TreeItem(nameOf(uri));
    item.id = text;
    item.description = place === 1 ? l10n.t('next') : String(place);
    item.tooltip = workspace.asRelativePath(uri);
    item.iconPath = new ThemeIcon('clock');
    item.contextValue = 'queued';
    item.command = {command: 'vscode.open', title: l10n.t('Open'), arguments: [uri]};
    return item;
  }
}

/** Runs that take this machine's processors; those of tasks may be elsewhere. */
const ownRuns = ({alive}: Sweeps): Run[] => alive.filter(({hasTasks}) => !hasTasks);

const nameOf = (uri: Uri): string => workspace.asRelativePath(uri).replace(/\.sweep\.ya?ml$/, '');
