/** What the user can ask for. Every command takes a sweep file (from a lens or the tree) or means the one that is open. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {commands, type Disposable, type LogOutputChannel, l10n, Uri, ViewColumn, window, workspace} from 'vscode';
import {stringify} from 'yaml';
import type {TrialsAction} from '../core/run/page-messages.ts';
import type {Candidate} from '../core/sweep/inspection.ts';
import {cursorAt} from '../core/sweep/text/cursor.ts';
import {Lines} from '../core/sweep/text/lines.ts';
import {Submitting} from './cluster/submitting.ts';
import {openTaskLog} from './cluster/task-logs.ts';
import {exportTrials} from './export-trial.ts';
import {openNotebook} from './hand-over/notebook.ts';
import type {RunLog} from './log.ts';
import {Doctor} from './machine/doctor.ts';
import {askForSeeds} from './more-seeds.ts';
import {pickRun} from './pick-run.ts';
import type {Program} from './program.ts';
import type {QueueView} from './queue/queue-view.ts';
import type {Results} from './results.ts';
import {registerCommand} from './row-command.ts';
import type {Run} from './run/run.ts';
import {openSamples} from './samples/samples.ts';
import {convertThisConfig} from './start/convert-config.ts';
import {fetchModel} from './start/fetch-model.ts';
import {newSweep} from './start/new-sweep.ts';
import {openSample} from './start/sample.ts';
import type {SweepFile, Sweeps} from './sweeps.ts';
import type {Row} from './tree.ts';
import type {Branch} from './tree-model.ts';
import {trialFile} from './trial-file.ts';
import {tune} from './tune.ts';

/** What commands are called with: a lens gives the file's URI as text, the tree a row, the palette nothing. */
type Target = string | Uri | Row | undefined;

export interface Parts {
  sweeps: Sweeps;
  program: Program;
  results: Results;
  output: LogOutputChannel;
  log: RunLog;
  queue: Pick<QueueView, 'add' | 'stopped'>;
  checkWorkspace(): Promise<{files: number; withErrors: number}>;
  /** Names of a data file's columns; none where it cannot be read. */
  columnsOf(file: string): Promise<string[]>;
  /** Models that a sweep file in this folder could name. */
  modelsOf(folder: string): Promise<Candidate[]>;
  /** A model is in the cache that was not. */
  modelFetched(): void;
  /** The sample's folder, and where it goes without a folder in the window. */
  sample: {demo: string; storage: string};
}

export class Commands {
  readonly #parts: Parts;
  readonly #doctor: Doctor;
  readonly #submitting: Submitting;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#doctor = new Doctor(parts.program);
    this.#submitting = new Submitting(parts.program);
  }

  /** Registers them all. */
  register(): Disposable[] {
    const on = registerCommand<NonNullable<Target>>;
    return [
      this.#doctor,
      this.#submitting,
      on('doctor', () => this.#doctor.show()),
      on('run', target => this.start(target, [])),
      on('runSelection', target => this.#runSelection(target)),
      on('resume', target => this.start(target, [])),
      on('runFresh', target => this.start(target, [], {fresh: true})),
      on('queueAdd', target => this.#addToQueue(target)),
      on('moreSeeds', (target, wish) => this.#moreSeeds(target, typeof wish === 'string' ? wish : undefined)),
      on('rerunFailed', target => this.#rerunFailed(target)),
      on('stop', target => this.#stop(target)),
      on('submit', target => this.#submit(target)),
      on('resumeLeft', target => this.#resumeLeft(target)),
      on('cancel', target => this.#cancel(target)),
      on('openTaskLog', target => this.#openTaskLog(target)),
      commands.registerCommand('loraSweep.confirmSubmit', (text: unknown) => this.#submitting.confirm(text)),
      on('tune', target => this.#tune(target)),
      on('probe', target => this.start(target, [], {verb: 'probe'})),
      on('dryRun', target => this.#dryRun(target)),
      on('openResults', target => this.#openResults(target)),
      commands.registerCommand('loraSweep.openFolder', () => this.#openFolder()),
      on('showLog', target => this.#showLog(target)),
      on('openSamples', target => this.#openSamples(target)),
      on('exportTrial', target => this.#exportTrial(target)),
      on('openNotebook', target => this.#openNotebook(target)),
      on('copyTrial', target => this.#copyTrial(target)),
      on('checkWorkspace', () => this.#checkWorkspace()),
      commands.registerCommand('loraSweep.newSweep', (folder?: Uri) =>
        newSweep(this.#parts, folder instanceof Uri ? folder : undefined),
      ),
      commands.registerCommand('loraSweep.fetchModel', (id?: unknown) =>
        this.#fetchModel(typeof id === 'string' ? id : undefined),
      ),
      on('trySample', () => this.#trySample()),
      commands.registerCommand('loraSweep.convertConfig', (uri?: unknown) =>
        convertThisConfig(uri instanceof Uri ? uri : undefined),
      ),
    ];
  }

  /** Whether programs may be started on the files of this workspace; says what to do where not. */
  #mayRun(): boolean {
    if (workspace.isTrusted) return true;
    void window
      .showWarningMessage(
        l10n.t('LoRA Sweep runs programs on your files: trust this workspace first. Editing works without.'),
        l10n.t('Manage Trust'),
      )
      .then(choice => {
        if (choice) void commands.executeCommand('workbench.trust.manage');
      });
    return false;
  }

  /** The sweep file that is to be run, saved; undefined where programs may not be started, or none was chosen. */
  async #toRun(target: Target): Promise<SweepFile | undefined> {
    if (!this.#mayRun()) return undefined;
    const file = await this.#fileOf(target);
    if (!file) return undefined;
    await workspace.textDocuments.find(document => document.uri.toString() === file.uri.toString())?.save();
    return this.#parts.sweeps.of(file.uri);
  }

  async #fetchModel(id: string | undefined): Promise<void> {
    const {program, modelFetched} = this.#parts;
    if ((await fetchModel(id, program)) !== undefined) modelFetched();
  }

  /** The sample is there, trains, and shows itself; one that was tried before goes on, or shows what it came to. */
  async #trySample(): Promise<void> {
    const {sample, sweeps, results} = this.#parts;
    const uri = await openSample(sample.demo, sample.storage);
    if (!uri) return;
    const {run} = await sweeps.of(uri);
    if (run?.state.state !== 'finished' && !run?.alive) await this.start(uri, []);
    if (run?.alive || run?.state.state === 'finished') await results.open(run);
  }

  /** The best rate of one method of a sweep file, and its adapter. */
  async #tune(target: Target): Promise<void> {
    const file = await this.#toRun(target);
    if (file) await tune(file, this.#parts);
  }

  /** Starts the trainer on a sweep file: on a new run folder, going on with what is there, or (`fresh`) with that kept under its date. */
  async start(
    target: Target,
    only: readonly string[],
    {verb = 'run', more = [], fresh = false}: {verb?: 'run' | 'probe'; more?: readonly string[]; fresh?: boolean} = {},
  ): Promise<void> {
    const file = await this.#toRun(target);
    if (!file) return;
    const {run} = file;
    if (!run) {
      void window.showErrorMessage(
        l10n.t('{0} has errors: see the Problems view.', workspace.asRelativePath(file.uri)),
      );
      return;
    }
    // Whoever planned it by tasks goes on with them.
    if (run.hasTasks && verb === 'run' && !fresh) return this.#submitting.resume(run);
    if (run.alive) {
      void window.showInformationMessage(l10n.t('{0} is running already.', workspace.asRelativePath(file.uri)));
      return;
    }
    const again = fresh ? '--fresh' : '--resume';
    const earlier = existsSync(join(run.folder, 'events.jsonl')) ? [again] : [];
    const filters = only.flatMap(filter => ['--only', filter]);
    const {program} = this.#parts;
    const words = [verb, run.sweepFile, '--json', ...earlier, ...filters, ...more];
    run.follow(program.startRun(words, run.sweepFile, run.folder));
  }

  async #addToQueue(target: Target): Promise<void> {
    const file = await this.#toRun(target);
    if (file) await this.#parts.queue.add(file.uri);
  }

  /** Further seeds of a method that has no word yet (`wish`: METHOD=NUMBER), or of the one that is chosen. */
  async #moreSeeds(target: Target, wish?: string): Promise<void> {
    const file = await this.#fileOf(target);
    if (!file?.run) return;
    const chosen = wish ?? (await askForSeeds(file.run.state));
    if (chosen !== undefined) await this.start(file.uri.toString(), [], {more: ['--more-seeds', chosen]});
  }

  /** The method or trial of a tree row, or the method at the cursor. */
  async #runSelection(target: Target): Promise<void> {
    if (isRow(target)) return this.start(target, target.branch?.only ?? []);
    const editor = window.activeTextEditor;
    if (!editor) return;
    const {line, character} = editor.selection.active;
    const cursor = cursorAt(new Lines(editor.document.getText()), {line, character});
    const listed = cursor?.path[0] === 'methods' && typeof cursor.path[1] === 'number';
    const method = listed ? cursor.word : cursor?.path[0] === 'methods' ? cursor.path[1] : undefined;
    if (typeof method !== 'string' || method === '') {
      void window.showInformationMessage(
        l10n.t('Put the cursor on a method of the sweep, or choose a method or trial in the tree.'),
      );
      return;
    }
    return this.start(editor.document.uri, [`method=${method}`]);
  }

  /** The failed trials of a sweep, or of a branch of the tree, once more. */
  async #rerunFailed(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    const below = isRow(target) && target.branch ? leavesOf(target.branch) : undefined;
    const failed = (file?.run?.state.trials ?? [])
      .filter(({state, trial, dropped}) => state === 'failed' && !dropped && (below?.has(trial.id) ?? true))
      .map(({trial}) => trial.id);
    if (failed.length === 0) void window.showInformationMessage(l10n.t('No trial has failed here.'));
    else await this.start(file?.uri, [`trial=${failed.join(',')}`]);
  }

  async #stop(target: Target): Promise<void> {
    const {sweeps} = this.#parts;
    const file = target === undefined && sweeps.alive.length === 1 ? undefined : await this.#fileOf(target);
    const run = file?.run ?? (sweeps.alive.length === 1 ? sweeps.alive[0] : undefined);
    // What a scheduler has would be started again.
    if (run?.awaited && file) return this.#cancel(file.uri);
    if (!run?.alive) {
      void window.showInformationMessage(l10n.t('No run is under way.'));
      return;
    }
    const asks = workspace.getConfiguration('loraSweep').get<boolean>('confirmStop', false);
    const question = l10n.t('Stop the run? What is finished is kept, and the run can be resumed.');
    if (asks && (await window.showWarningMessage(question, {modal: true}, l10n.t('Stop'))) !== l10n.t('Stop')) return;
    this.#parts.queue.stopped();
    run.stop();
  }

  /** Hands a sweep, or what is left of it, to a scheduler. */
  async #submit(target: Target): Promise<void> {
    const file = await this.#toRun(target);
    if (file) await this.#submitting.submit(file);
  }

  async #resumeLeft(target: Target): Promise<void> {
    const run = (await this.#toRun(target))?.run;
    if (run?.hasTasks) await this.#submitting.resume(run);
    else if (run)
      void window.showInformationMessage(l10n.t('This run has no tasks: Resume goes on with it on this machine.'));
  }

  /** A task of the tree, or a run with all of its jobs. */
  async #cancel(target: Target): Promise<void> {
    if (!this.#mayRun()) return;
    const run = (await this.#fileOf(target))?.run;
    const task = isRow(target) && target.branch?.kind === 'task' ? target.branch.id : undefined;
    if (run && (run.alive || run.awaited)) await this.#submitting.cancel(run, task);
    else if (run) void window.showInformationMessage(l10n.t('Nothing of it runs or waits.'));
  }

  async #openTaskLog(target: Target): Promise<void> {
    if (isRow(target) && target.branch && target.file.run) await openTaskLog(target.file.run, target.branch);
  }

  async #dryRun(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    if (!file) return;
    const {output, program} = this.#parts;
    const {ok, text} = await program.run(['plan', file.uri.fsPath], dirname(file.uri.fsPath));
    output.info(l10n.t('Dry run of {0}\n{1}', workspace.asRelativePath(file.uri), text));
    output.show(true);
    if (!ok) void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  }

  /** Results of any run folder: an imported one, one from another machine. */
  async #openFolder(): Promise<void> {
    const folder = await pickRun(l10n.t('Open results of'), []);
    if (folder !== undefined) await this.#parts.results.open(await this.#parts.sweeps.at(folder));
  }

  async #openResults(target: Target): Promise<void> {
    const file = await this.#fileOf(target, uri => this.#parts.sweeps.now(uri));
    if (!file?.run) return;
    const {alive, state, reading} = file.run;
    if (!alive && reading === null && state.trials.length === 0 && state.curvature.length === 0) {
      void window.showInformationMessage(l10n.t('{0} has not run yet.', workspace.asRelativePath(file.uri)));
      return;
    }
    await this.#parts.results.open(file.run);
  }

  async #showLog(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    if (!file?.run) return;
    this.showLogOf(file.run);
  }

  /** All that a run did, in the output channel. */
  showLogOf(run: Run): void {
    const {log, program} = this.#parts;
    log.show(run, program.lastWords(run.folder));
  }

  /** What a trial of the tree answered, or any trial of a sweep. */
  async #openSamples(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    const trial = isRow(target) && target.branch?.kind === 'trial' ? target.branch.id : undefined;
    if (file?.run) await openSamples(file.run, trial);
  }

  /** A trial of the tree, or the best one of a sweep. */
  async #exportTrial(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    const trial = isRow(target) && target.branch?.kind === 'trial' ? target.branch.id : undefined;
    if (file?.run) await exportTrials(file.run, trial === undefined ? [] : [trial], this.#parts.program);
  }

  async #openNotebook(target: Target): Promise<void> {
    const file = await this.#fileOf(target);
    if (file?.run) await openNotebook(file.run, this.#parts.program);
  }

  /** One trial as a sweep file of its own, in a new editor. */
  async #copyTrial(target: Target): Promise<void> {
    if (isRow(target) && target.branch) await this.#copy(target.file, target.branch.id);
  }

  async #copy({sweep, run}: SweepFile, trial: string): Promise<void> {
    if (!sweep) return;
    const content = stringify(trialFile(sweep, trial, run?.state ?? null), {flowCollectionPadding: false});
    await window.showTextDocument(await workspace.openTextDocument({language: 'lora-sweep', content}), {
      preview: false,
      viewColumn: ViewColumn.One,
    });
  }

  /** What the page of a run asks to be done with some of its trials. */
  async withTrials(run: Run, action: TrialsAction, trials: readonly string[]): Promise<void> {
    if (action === 'export') return exportTrials(run, trials, this.#parts.program);
    const uri = Uri.file(run.sweepFile);
    if (action === 'rerun') return this.start(uri, [`trial=${trials.join(',')}`], {more: ['--rerun']});
    const file = await this.#parts.sweeps.of(uri);
    for (const trial of trials) await this.#copy(file, trial);
  }

  async #checkWorkspace(): Promise<void> {
    const {files, withErrors} = await this.#parts.checkWorkspace();
    void window.showInformationMessage(
      l10n.t('{0} sweep {1} checked, {2} with errors.', files, files === 1 ? 'file' : 'files', withErrors),
    );
    if (withErrors > 0) await commands.executeCommand('workbench.actions.view.problems');
  }

  /** The sweep file that is meant; asks where there is a choice. `read`: by default with all of its run, which may take a while. */
  async #fileOf(
    target: Target,
    read: (uri: Uri) => Promise<SweepFile> = uri => this.#parts.sweeps.of(uri),
  ): Promise<SweepFile | undefined> {
    const {sweeps} = this.#parts;
    if (isRow(target)) return target.file;
    const open = window.activeTextEditor?.document;
    const meant = target ?? (open?.languageId === 'lora-sweep' ? open.uri : undefined);
    if (meant !== undefined) {
      const uri = typeof meant === 'string' ? Uri.parse(meant) : meant;
      if (uri.scheme === 'file') return read(uri);
      void window.showInformationMessage(
        l10n.t('{0} is in no folder of this machine: save it in one first.', workspace.asRelativePath(uri)),
      );
      return undefined;
    }
    const all = await sweeps.all();
    if (all.length < 2) return all[0];
    const items = all.map(file => ({label: workspace.asRelativePath(file.uri), file}));
    return (await window.showQuickPick(items, {title: l10n.t('Which sweep?')}))?.file;
  }
}

/** Ids of the trials below a branch. */
function leavesOf({kind, id, children}: Branch): Set<string> {
  return new Set(kind === 'trial' ? [id] : children.flatMap(child => [...leavesOf(child)]));
}

function isRow(target: Target): target is Row {
  return typeof target === 'object' && 'file' in target;
}
