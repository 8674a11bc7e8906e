/** "New Sweep…": asks for a model and data, looks at the data's columns, and opens a sweep file that can run. */
import {existsSync} from 'node:fs';
import {dirname, extname, isAbsolute, join, relative, sep} from 'node:path';
import {l10n, type QuickPickItem, QuickPickItemKind, Uri, window, workspace} from 'vscode';
import type {Candidate} from '../../core/sweep/inspection.ts';
import {fileEndings} from '../../core/sweep/table/field.ts';
import type {Program} from '../program.ts';
import {askForId, fetchModel} from './fetch-model.ts';
import {guessFormat, scaffold} from './scaffold.ts';

/** As dialogs take them: what follows the last dot. */
const extensions = [...new Set(fileEndings.map(ending => extname(`rows${ending}`).slice(1)))];
/** Data files of the window that are offered. */
const mostOffered = 50;

/** What it asks of others. */
export interface Asked {
  program: Program;
  /** Names of a data file's columns; none where it cannot be read. */
  columnsOf(file: string): Promise<string[]>;
  /** Models that a sweep file in this folder could name. */
  modelsOf(folder: string): Promise<Candidate[]>;
}

interface Choice extends QuickPickItem {
  /** A model as a sweep file names it, or the path of a data file; absent: it is asked for. */
  value?: string;
  ask?: () => Thenable<string | undefined>;
  /** It is on the hub, and not here yet. */
  absent?: boolean;
}

export async function newSweep(asked: Asked, start?: Uri): Promise<void> {
  const here = start ?? workspace.workspaceFolders?.[0]?.uri;
  const model = await chooseModel(asked, here);
  if (model === undefined) return;
  const data = await chooseData(here);
  if (data === undefined) return;
  const columns = await asked.columnsOf(data);
  const guess = guessFormat(columns);
  if (!guess) {
    const has =
      columns.length > 0 ? l10n.t('it has the columns {0}', columns.join(', ')) : l10n.t('no row could be read');
    void window.showErrorMessage(
      l10n.t('{0}: no format fits, {1}. Name them under data.columns in a sweep file.', data, has),
    );
    return;
  }
  const base = here?.fsPath ?? dirname(data);
  const target = freeName(base);
  const written = (path: string) => {
    if (!isAbsolute(path)) return path;
    const from = relative(base, path).split(sep).join('/');
    return from.startsWith('..') ? path : from;
  };
  const text = scaffold({model: written(model), data: written(data), ...guess});
  await workspace.fs.writeFile(Uri.file(target), new TextEncoder().encode(text));
  await window.showTextDocument(Uri.file(target));
}

/** A hub id, or a folder; one of the hub that is not here yet is fetched first. */
async function chooseModel({modelsOf, program}: Asked, here: Uri | undefined): Promise<string | undefined> {
  const found = await modelsOf(here?.fsPath ?? dirname(program.file));
  // Beside the sweep file in an empty window lies the extension itself.
  const models = found.filter(({kind, detail}) => kind === 'model' && (here !== undefined || detail.startsWith('hub')));
  const choices: Choice[] = [
    ...models.map(({text, detail, absent = false}) => ({label: text, description: detail, value: text, absent})),
    {label: '', kind: QuickPickItemKind.Separator},
    {label: l10n.t('$(cloud-download) Another hub id…'), ask: askForId, absent: true},
    {label: l10n.t('$(folder-opened) A model folder…'), ask: () => askForFolder(here)},
  ];
  const choice = await window.showQuickPick(choices, {
    title: l10n.t('New sweep: the model'),
    placeHolder: l10n.t('The base model'),
  });
  const value = choice && (choice.value ?? (await choice.ask?.()));
  return choice?.absent && value !== undefined ? fetchModel(value.trim(), program) : value;
}

async function askForFolder(here: Uri | undefined): Promise<string | undefined> {
  const [folder] = (await window.showOpenDialog({
    title: l10n.t('New sweep: the model folder (it has a config.json)'),
    canSelectFolders: true,
    canSelectFiles: false,
    ...(here ? {defaultUri: here} : {}),
  })) ?? [undefined];
  if (!folder || existsSync(join(folder.fsPath, 'config.json'))) return folder?.fsPath;
  void window.showErrorMessage(
    l10n.t('{0} has no config.json; choose a model folder in Hugging Face layout.', folder.fsPath),
  );
  return undefined;
}

/** The path of a data file: of the window, or any other. */
async function chooseData(here: Uri | undefined): Promise<string | undefined> {
  const pattern = `**/*{${fileEndings.filter(ending => ending !== '.json').join(',')}}`;
  const found = here ? await workspace.findFiles(pattern, '**/{node_modules,.lora-sweep}/**', mostOffered) : [];
  const paths = found.map(({fsPath}) => fsPath).sort();
  const choices: Choice[] = [
    ...paths.map(value => ({label: workspace.asRelativePath(value), value})),
    {label: l10n.t('$(folder-opened) Another file…'), ask: () => askForData(here)},
  ];
  const choice =
    paths.length === 0
      ? choices.at(-1)
      : await window.showQuickPick(choices, {
          title: l10n.t('New sweep: the training rows'),
          placeHolder: l10n.t('A data file'),
        });
  return choice && (choice.value ?? choice.ask?.());
}

async function askForData(here: Uri | undefined): Promise<string | undefined> {
  const [data] = (await window.showOpenDialog({
    title: l10n.t('New sweep: the training rows'),
    filters: {Rows: extensions},
    ...(here ? {defaultUri: here} : {}),
  })) ?? [undefined];
  return data?.fsPath;
}

function freeName(folder: string): string {
  for (let number = 1; ; number++) {
    const file = join(folder, number === 1 ? 'first.sweep.yaml' : `sweep-${number}.sweep.yaml`);
    if (!existsSync(file)) return file;
  }
}
