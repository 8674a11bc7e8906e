/** "New Sweep…": asks for a model and data, looks at the data's columns, and opens a sweep file that can run. */
import {existsSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {dirname, join, relative, sep} from 'node:path';
import {Uri, window, workspace} from 'vscode';
import {guessFormat, scaffold} from './scaffold.ts';

/** Of a data file, what is looked at for its first row. */
const firstBytes = 1 << 20;

export async function newSweep(start?: Uri): Promise<void> {
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
    filters: {Rows: ['jsonl', 'json']},
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

/** The columns of the first row; none where it cannot be read. */
async function columnsOf(path: string): Promise<string[]> {
  const file = await open(path);
  try {
    const {buffer, bytesRead} = await file.read(Buffer.alloc(firstBytes), 0, firstBytes, 0);
    const text = buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\uFEFF/, '')
      .trim();
    const row: unknown = text.startsWith('[') ? firstOfList(text) : JSON.parse(text.split(/\r?\n/)[0] ?? '');
    return typeof row === 'object' && row !== null ? Object.keys(row) : [];
  } catch {
    // The server says what is wrong with the file once it is named in a sweep.
    return [];
  } finally {
    await file.close();
  }
}

/** The first object of a list of which only the beginning may be there. */
function firstOfList(text: string): unknown {
  for (let end = text.indexOf('}'); end > 0; end = text.indexOf('}', end + 1)) {
    try {
      return JSON.parse(text.slice(1, end + 1));
    } catch {
      // That brace was within the object.
    }
  }
  return null;
}
