/** Asks for a run folder: those of the workspace, or any other. */
import {existsSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {l10n, type QuickPickItem, window, workspace} from 'vscode';
import {runsFolder} from '../core/sweep/folder.ts';

interface Choice extends QuickPickItem {
  /** Undefined: one that is looked for elsewhere. */
  folder?: string;
}

/** The folder, or undefined where none was chosen; `except` is not offered. */
export async function pickRun(title: string, except: readonly string[]): Promise<string | undefined> {
  const found = await workspace.findFiles(`**/${runsFolder}/*/events.jsonl`, null);
  const folders = found.map(({fsPath}) => dirname(fsPath)).filter(folder => !except.includes(folder));
  const choices: Choice[] = [
    ...folders.sort().map(folder => ({
      label: basename(folder),
      description: workspace.asRelativePath(dirname(dirname(folder)), true),
      folder,
    })),
    {label: l10n.t('$(folder-opened) Another folder…')},
  ];
  const choice = await window.showQuickPick(choices, {title, placeHolder: l10n.t('A run folder')});
  return choice && (choice.folder ?? browse(title));
}

async function browse(title: string): Promise<string | undefined> {
  const [uri] = (await window.showOpenDialog({canSelectFiles: false, canSelectFolders: true, title})) ?? [];
  if (!uri || existsSync(join(uri.fsPath, 'events.jsonl'))) return uri?.fsPath;
  void window.showErrorMessage(
    l10n.t('{0} holds no run: it has no events.jsonl; choose the folder of a run.', uri.fsPath),
  );
  return undefined;
}
