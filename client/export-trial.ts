/** Asks for a form and a place, and has finished trials written there. */
import {basename, dirname, join} from 'node:path';
import {commands, l10n, ProgressLocation, Uri, window} from 'vscode';
import type {Program} from './program.ts';
import type {Run} from './run/run.ts';

const forms = [
  {
    label: 'PEFT adapter',
    detail: 'adapter_config.json and adapter_model.safetensors for the unchanged base',
    to: 'adapter',
  },
  {label: 'Merged model', detail: 'a whole model folder that transformers loads', to: 'merged'},
  {label: 'GGUF', detail: 'merged, one file in float16 for llama.cpp and Ollama', to: 'gguf'},
] as const;

/** @param trials their ids; none = the best one of the run. Each of several goes into a folder of its own */
export async function exportTrials(run: Run, trials: readonly string[], program: Program): Promise<void> {
  const what = trials.length > 1 ? l10n.t('{0} trials', trials.length) : (trials[0] ?? l10n.t('the best trial'));
  const form = await window.showQuickPick(forms, {title: l10n.t('Export {0}', what)});
  if (!form) return;
  const target = await (trials.length > 1 ? askForParent(run, what) : askForFolder(run, trials[0], form.to, what));
  if (!target) return;
  const options = {location: ProgressLocation.Notification, title: l10n.t('Exporting {0}', what)};
  const {ok, text} = await window.withProgress(options, async progress => {
    if (trials.length < 2) return exportOne(run, trials[0], form.to, target.fsPath, program);
    let last = {ok: true, text: ''};
    for (const trial of trials) {
      progress.report({message: trial, increment: 100 / trials.length});
      last = await exportOne(run, trial, form.to, join(target.fsPath, `${trial}-${form.to}`), program);
      if (!last.ok) return last;
    }
    return {ok: true, text: l10n.t('{0} are in {1}.', what, target.fsPath)};
  });
  if (!ok) void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  else if (await window.showInformationMessage(text.trim(), l10n.t('Show'))) {
    await commands.executeCommand('revealInExplorer', target);
  }
}

const homeOf = ({sweepFile, folder}: Run): string => dirname(sweepFile || folder);

function askForFolder(run: Run, trial: string | undefined, to: string, what: string): Thenable<Uri | undefined> {
  return window.showSaveDialog({
    title: l10n.t('Export {0} to a new folder', what),
    saveLabel: l10n.t('Export'),
    defaultUri: Uri.file(join(homeOf(run), `${trial ?? `${basename(run.folder)}-best`}-${to}`)),
  });
}

async function askForParent(run: Run, what: string): Promise<Uri | undefined> {
  const chosen = await window.showOpenDialog({
    title: l10n.t('Export {0} into this folder, each in one of its own', what),
    openLabel: l10n.t('Export'),
    canSelectFiles: false,
    canSelectFolders: true,
    defaultUri: Uri.file(homeOf(run)),
  });
  return chosen?.[0];
}

function exportOne(
  run: Run,
  trial: string | undefined,
  to: string,
  out: string,
  program: Program,
): Promise<{ok: boolean; text: string}> {
  const which = trial === undefined ? '--best' : trial;
  return program.run(['export', run.folder, which, '--to', to, '--out', out], homeOf(run));
}
