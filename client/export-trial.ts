/** Asks for a form and a place, and has a finished trial written there. */
import {basename, dirname, join} from 'node:path';
import {commands, ProgressLocation, Uri, window} from 'vscode';
import type {Program} from './program.ts';
import type {Run} from './run/run.ts';

const forms = [
  {
    label: 'PEFT adapter',
    detail: 'adapter_config.json and adapter_model.safetensors for the unchanged base',
    to: 'adapter',
  },
  {label: 'Merged model', detail: 'a whole model folder that transformers loads', to: 'merged'},
] as const;

/** @param trial its id; undefined = the best one of the run */
export async function exportTrial(
  {folder, sweepFile}: Run,
  trial: string | undefined,
  program: Program,
): Promise<void> {
  const what = trial ?? 'the best trial';
  const form = await window.showQuickPick(forms, {title: `Export ${what}`});
  if (!form) return;
  const home = dirname(sweepFile || folder);
  const defaultUri = Uri.file(join(home, `${trial ?? `${basename(folder)}-best`}-${form.to}`));
  const target = await window.showSaveDialog({
    title: `Export ${what} to a new folder`,
    saveLabel: 'Export',
    defaultUri,
  });
  if (!target) return;
  const args = [
    'export',
    folder,
    ...(trial === undefined ? ['--best'] : [trial]),
    '--to',
    form.to,
    '--out',
    target.fsPath,
  ];
  const {ok, text} = await window.withProgress(
    {location: ProgressLocation.Notification, title: `Exporting ${what}`},
    () => program.run(args, home),
  );
  if (!ok) void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  else if (await window.showInformationMessage(text.trim(), 'Show')) {
    await commands.executeCommand('revealInExplorer', target);
  }
}
