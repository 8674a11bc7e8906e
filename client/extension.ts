/** LoRA Sweep in the editor: language, runs, tree, status, results. */
import {
  commands,
  Disposable,
  type ExtensionContext,
  l10n,
  type TextEditor,
  type TreeView,
  Uri,
  type WebviewPanel,
  window,
  workspace,
} from 'vscode';
import {offerInWords} from '../core/hub/models.ts';
import {isEnded} from '../core/run/events.ts';
import {count} from '../core/run/format.ts';
import {answerInALine} from '../core/run/verdict/answer.ts';
import {EndedBadge} from './badge.ts';
import {QueueWatch} from './cluster/queue-watch.ts';
import {Commands, type Parts} from './commands.ts';
import {keepContext} from './context-keys.ts';
import {provideTools} from './hand-over/assistant.ts';
import {History} from './history/history.ts';
import {RunCommands} from './history/run-commands.ts';
import {provideStoredTexts} from './history/stored-texts.ts';
import {LanguageServer} from './language-server.ts';
import {RunLog} from './log.ts';
import {NativeSetup} from './machine/native-setup.ts';
import {Program} from './program.ts';
import {QueueView} from './queue/queue-view.ts';
import {Results, resultsView} from './results.ts';
import type {Run} from './run/run.ts';
import {provideSamples} from './samples/samples.ts';
import {showStatus} from './status.ts';
import {Sweeps} from './sweeps.ts';
import {TrialsTree} from './tree.ts';

export function activate(context: ExtensionContext): void {
  const storage = (context.storageUri ?? context.globalStorageUri).fsPath;
  const program = new Program(context.asAbsolutePath('dist/trainer/cli.js'), storage);
  const output = window.createOutputChannel('LoRA Sweep', {log: true});
  const log = new RunLog(output);
  const nativeSetup = new NativeSetup(program, context.globalState, context.extensionPath);
  const results = new Results(context.asAbsolutePath('dist/webviews'), (run, action, trials) =>
    parts.withTrials(run, action, trials),
  );
  const language = new LanguageServer(context, program);
  const sweeps = new Sweeps({
    changed(run) {
      log.changed(run);
      void nativeSetup.offer(run);
    },
    shown(run) {
      language.runChanged(run);
      results.changed(run);
    },
    finished(run) {
      badge.ended(run.state.name);
      void sayItFinished(run, results);
    },
    died(run) {
      badge.ended(run.state.name);
      void sayItDied(run, program, parts);
    },
    interrupted: run => void sayItStands(run),
    failed: run => void sayItFailed(run),
    refused: run => void sayItWasRefused(run, program.lastWords(run.folder)),
  });
  const history = new History(program);
  const queue = new QueueView(context.workspaceState, {sweeps, start: uri => parts.start(uri, [])});
  const parts = commandsOf(context, {sweeps, program, results, output, log, queue}, language);
  const tree = new TrialsTree(sweeps, history);
  const view = window.createTreeView('loraSweep.trials', {treeDataProvider: tree, showCollapseAll: true});
  const badge = new EndedBadge(view);

  context.subscriptions.push(
    ...[output, results, sweeps, history, queue, tree, view, badge],
    showStatus(sweeps),
    keepContext(sweeps),
    provideTexts(),
    provideTools(program),
    watchQueue(sweeps, program, view),
    window.registerWebviewPanelSerializer(resultsView, {
      deserializeWebviewPanel: (panel, kept: Kept | undefined) => bringBack(panel, kept, sweeps, results),
    }),
    commands.registerCommand('loraSweep.setUpNative', () => nativeSetup.ask()),
    ...[parts, queue, new RunCommands({sweeps, program, results, history})].flatMap(one => one.register()),
  );
  startWithFirstFile(context, language);
  // Runs that go on from before a reload are found again.
  void sweeps.all();
}

/** What run folders hold that is no file of the editor's own. */
const provideTexts = (): Disposable => Disposable.from(provideSamples(), provideStoredTexts());

/** What schedulers have is asked for while the view is seen. */
function watchQueue(sweeps: Sweeps, program: Program, view: TreeView<unknown>): Disposable {
  const queue = new QueueWatch({
    runs: () => sweeps.runs,
    isSeen: () => view.visible,
    ask: folder => program.status(folder),
  });
  queue.seen();
  const seen = view.onDidChangeVisibility(() => {
    queue.seen();
    if (view.visible) sweeps.lookAgain();
  });
  return Disposable.from(queue, seen);
}

function commandsOf(
  context: ExtensionContext,
  parts: Pick<Parts, 'sweeps' | 'program' | 'results' | 'output' | 'log' | 'queue'>,
  language: LanguageServer,
): Commands {
  return new Commands({
    ...parts,
    checkWorkspace: () => language.command('checkWorkspace'),
    columnsOf: file => language.command('columns', file),
    modelsOf: folder => language.command('models', folder),
    modelFetched: () => language.modelFetched(),
    sample: {demo: context.asAbsolutePath('demo'), storage: context.globalStorageUri.fsPath},
  });
}

/** The server starts with the first sweep file that is shown. */
function startWithFirstFile({subscriptions}: ExtensionContext, language: LanguageServer): void {
  const isSweep = (document: {languageId: string}) => document.languageId === 'lora-sweep';
  const look = (editors: readonly TextEditor[]): void => {
    if (editors.some(({document}) => isSweep(document))) void language.start();
  };
  look(window.visibleTextEditors);
  subscriptions.push(window.onDidChangeVisibleTextEditors(look));
}

/** What a page of results keeps of its run over a reload. */
interface Kept {
  sweepFile?: string;
  folder?: string;
}

async function bringBack(
  panel: WebviewPanel,
  {sweepFile, folder}: Kept = {},
  sweeps: Sweeps,
  results: Results,
): Promise<void> {
  const run = sweepFile ? (await sweeps.of(Uri.file(sweepFile))).run : folder && (await sweeps.at(folder));
  if (run) await results.show(run, panel);
  else panel.dispose();
}

/** Why a run did not start; where a model is missing that the hub has, or another run is to begin, the way to it. */
async function sayItWasRefused({sweepFile}: Run, words: string): Promise<void> {
  const [, id] = /"lora-sweep fetch ([^"\s]+)"/.exec(words) ?? [];
  const fetch = id === undefined ? [] : [l10n.t('Fetch {0}', offerInWords(id))];
  const fresh = words.includes('--fresh') && sweepFile ? [l10n.t('Run from Scratch')] : [];
  const message = l10n.t('The run was not started: {0}', words || l10n.t('the trainer ended without a word.'));
  const choice = await window.showErrorMessage(message, ...fetch, ...fresh);
  if (choice === fresh[0] && choice) await commands.executeCommand('loraSweep.runFresh', Uri.file(sweepFile));
  else if (choice) await commands.executeCommand('loraSweep.fetchModel', id);
}

/** The answer in one line, and the way to all of it. */
async function sayItFinished(run: Run, results: Results): Promise<void> {
  const {folder, state} = run;
  if (!workspace.getConfiguration('loraSweep').get<boolean>('notifyWhenFinished', true)) return;
  const message = l10n.t('{0} finished: {1}.', state.name || folder, answerInALine(state));
  const choice = await window.showInformationMessage(message, l10n.t('Open Results'));
  if (choice) await results.open(run);
}

/** A run that a window finds without its end: its machine went down, or its process was ended. */
async function sayItStands(run: Run): Promise<void> {
  const {name, trials} = run.state;
  const done = trials.filter(({state}) => isEnded(state)).length;
  const message = l10n.t(
    'The sweep {0} was interrupted with {1} of {2} trials done; what is finished is kept.',
    name || run.folder,
    done,
    trials.length,
  );
  const choice = await window.showInformationMessage(
    message,
    ...(run.sweepFile ? [l10n.t('Resume'), l10n.t('Open Results')] : []),
  );
  const command = choice === l10n.t('Resume') ? 'resume' : choice && 'openResults';
  if (command) await commands.executeCommand(`loraSweep.${command}`, Uri.file(run.sweepFile).toString());
}

/** The tasks of a run have ended, and some of them did not come to their end. */
async function sayItFailed({state, sweepFile, folder}: Run): Promise<void> {
  const failed = state.tasks.filter(view => view.state === 'failed');
  const why = failed[0]?.message ? `: ${failed[0].message}` : '';
  const message = l10n.t(
    '{0} of {1} of {2} failed{3}.',
    failed.length,
    count(state.tasks.length, 'task'),
    state.name || folder,
    why,
  );
  const choice = await window.showWarningMessage(
    message.replace(/\.\.$/, '.'),
    ...(sweepFile ? [l10n.t('Resume What Is Left'), l10n.t('Open Results')] : []),
  );
  const command = choice === l10n.t('Open Results') ? 'openResults' : choice && 'resumeLeft';
  if (command) await commands.executeCommand(`loraSweep.${command}`, Uri.file(sweepFile).toString());
}

/** The trainer is gone in the middle of its work: why, as it said itself, and a way to go on. */
async function sayItDied(run: Run, program: Program, parts: Commands): Promise<void> {
  const {name, message: reason} = run.state;
  const words = program.lastWords(run.folder) || reason;
  const message = l10n.t(
    'The trainer of {0} ended unexpectedly{1} What is finished is kept.',
    name || run.folder,
    words ? `: ${words}` : '.',
  );
  const choice = await window.showErrorMessage(
    message,
    ...(run.sweepFile ? [l10n.t('Resume')] : []),
    l10n.t('Show Log'),
  );
  if (choice === l10n.t('Resume'))
    await commands.executeCommand('loraSweep.resume', Uri.file(run.sweepFile).toString());
  if (choice === l10n.t('Show Log')) parts.showLogOf(run);
}
