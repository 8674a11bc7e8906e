/** "New Sweep…": asks for a model and data, looks at the data's columns, and opens a sweep file that can run. */
import {existsSync} from 'node:fs';
import {dirname, extname, join, relative, sep} from 'node:path';
import {Uri, window, workspace} from 'vscode';
import {fileEndings} from '../core/sweep/table/field.ts';
import {guessFormat, scaffold} from './scaffold.ts';

/** As dialogs take them: what follows the last dot. */
const extensions = [...new Set(fileEndings.map(ending => extname(`rows${ending}`).slice(1)))];

/** @param columnsOf names of a data file's columns; none where it cannot be read */
export async function newSweep(columnsOf: (file: string) => Promise<string[]>, start?: Uri): Promise<void> {
  const here = start ?? workspace.workspaceFolders?.[0]?.uri;
  const [folder] = (await window.showOpenDialog({
    title: 'New sweep: the model folder (it has a config.json)',
    canSelectFolders: true,
    canSelectFiles: false,
    ...(here ? {defaultUri: here} : {}),
  })) ?? [undefined];
  if (!folder) return;
  if (!existsSync(join(folder.fsPath, 'config.json'))) {
    void window.showErrorMessage(`${folder.fsPath} has no config.json; choose a model folder in Hugging Face layout.`);
    return;
  }
  const [data] = (await window.showOpenDialog({
    title: 'New sweep: the training rows',
    filters: {Rows: extensions},
    ...(here ? {defaultUri: here} : {}),
  })) ?? [undefined];
  if (!data) return;
  const columns = await columnsOf(data.fsPath);
  const guess = guessFormat(columns);
  if (!guess) {
    const has = columns.length > 0 ? `it has the columns ${columns.join(', ')}` : 'no row could be read';
    void window.showErrorMessage(
      `${data.fsPath}: no format fits, ${has}. Name them under data.columns in a sweep file.`,
    );
    return;
  }
  const base = here?.fsPath ?? dirname(data.fsPath);
  const target = freeName(base);
  const written = (path: string) => {
    const from = relative(base, path).split(sep).join('/');
    return from.startsWith('..') ? path : from;
  };
  const text = scaffold({model: written(folder.fsPath), data: written(data.fsPath), ...guess});
  await workspace.fs.writeFile(Uri.file(target), new TextEncoder().encode(text));
  await window.showTextDocument(Uri.file(target));
}

function freeName(folder: string): string {
  for (let number = 1; ; number++) {
    const file = join(folder, number === 1 ? 'first.sweep.yaml' : `sweep-${number}.sweep.yaml`);
    if (!existsSync(file)) return file;
  }
}
