/** What can be done with a run of the history: each command is given its row of the tree. */
import {basename, dirname} from 'node:path';
import {type Disposable, l10n, Uri, window, workspace} from 'vscode';
import {faultOfAbout, tagsIn} from '../../core/run/history/about.ts';
import {type RunRow, titleOfRun} from '../../core/run/history/row.ts';
import type {Program} from '../program.ts';
import type {Results} from '../results.ts';
import {registerCommand} from '../row-command.ts';
import type {Sweeps} from '../sweeps.ts';
import type {Row} from '../tree.ts';
import type {History} from './history.ts';
import {showDifference} from './stored-texts.ts';

interface Parts {
  sweeps: Sweeps;
  program: Program;
  results: Results;
  history: History;
}

/** How the end of a line is written in a box of one line. */
const lineEnd = ' ⏎ ';

export class RunCommands {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  register(): Disposable[] {
    const on = (name: string, work: (row: RunRow, from: Row) => Promise<void>) =>
      registerCommand<Row>(name, async from => {
        const row = from && (await this.#rowOf(from));
        if (from && row) await work(row, from);
      });
    return [
      on('openRun', row => this.#open(row)),
      on('diffWithFile', (row, {file}) => this.#compare(row, file.uri)),
      on('diffRuns', (row, from) => this.#compareWithAnother(row, from)),
      on('renameRun', row => this.#rename(row)),
      on('noteRun', row => this.#note(row)),
      on('tagRun', row => this.#tag(row)),
      on('archiveRun', row => this.#label(row, ['--archive'])),
      on('unarchiveRun', row => this.#label(row, ['--unarchive'])),
      on('deleteRun', (row, from) => this.#delete(row, from)),
    ];
  }

  async #rowOf({file, branch}: Row): Promise<RunRow | undefined> {
    if (branch?.kind !== 'run' || !file.run) return undefined;
    return (await this.#parts.history.rowsOf(file.run)).find(({folder}) => folder === branch.id);
  }

  async #open({folder}: RunRow): Promise<void> {
    const {sweeps, results} = this.#parts;
    await results.open(await sweeps.at(folder));
  }

  async #compare(row: RunRow, other: RunRow | Uri): Promise<void> {
    if (await showDifference(row, other)) return;
    void window.showInformationMessage(
      l10n.t('There is nothing to compare: one of the runs did not keep the sweep file that it followed.'),
    );
  }

  async #compareWithAnother(row: RunRow, {file}: Row): Promise<void> {
    const others = (await this.#parts.history.rowsOf(file.run!)).filter(({folder}) => folder !== row.folder);
    const items = others.map(other => ({label: titleOfRun(other), description: other.answer ?? other.state, other}));
    if (items.length === 0) {
      void window.showInformationMessage(l10n.t('This sweep has no other run.'));
      return;
    }
    const choice = await window.showQuickPick(items, {title: l10n.t('Compare the sweep file of this run with')});
    if (choice) await this.#compare(row, choice.other);
  }

  async #rename(row: RunRow): Promise<void> {
    const name = await window.showInputBox({
      ignoreFocusOut: true,
      title: l10n.t('Name of the run'),
      prompt: l10n.t('Without one it goes by when it began.'),
      value: row.name,
      validateInput: typed => this.#fault({...row, name: typed.trim()}),
    });
    if (name !== undefined) await this.#label(row, [`--name=${name.trim()}`]);
  }

  async #note(row: RunRow): Promise<void> {
    const note = await window.showInputBox({
      ignoreFocusOut: true,
      title: l10n.t('Note on {0}', titleOfRun(row)),
      prompt: l10n.t('⏎ begins another line.'),
      value: row.note.replaceAll('\n', lineEnd),
      validateInput: typed => this.#fault({...row, note: noteIn(typed)}),
    });
    if (note !== undefined) await this.#label(row, [`--note=${noteIn(note)}`]);
  }

  async #tag(row: RunRow): Promise<void> {
    const typed = await window.showInputBox({
      ignoreFocusOut: true,
      title: l10n.t('Tags of {0}', titleOfRun(row)),
      prompt: l10n.t('With commas between them.'),
      value: row.tags.join(', '),
      validateInput: text => this.#fault({...row, tags: tagsIn(text)}),
    });
    if (typed === undefined) return;
    const tags = tagsIn(typed);
    const words = [
      ...tags.filter(tag => !row.tags.includes(tag)).map(tag => `--tag=${tag}`),
      ...row.tags.filter(tag => !tags.includes(tag)).map(tag => `--untag=${tag}`),
    ];
    if (words.length > 0) await this.#label(row, words);
  }

  #fault(row: RunRow): string | null {
    const fault = faultOfAbout(row);
    return fault === null ? null : `${fault[0]!.toUpperCase()}${fault.slice(1)}.`;
  }

  /** The command writes it, whole. */
  async #label({folder}: RunRow, words: readonly string[]): Promise<void> {
    const {program, history} = this.#parts;
    const {ok, text} = await program.run(['label', folder, ...words], dirname(folder));
    if (!ok) void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
    history.changed();
  }

  async #delete(row: RunRow, {file}: Row): Promise<void> {
    const {sweeps, history} = this.#parts;
    const run = await sweeps.at(row.folder);
    if (run.alive || run.awaited) {
      void window.showInformationMessage(l10n.t('The run is at work: stop it before it is deleted.'));
      return;
    }
    const question = l10n.t('Delete the run {0} with its adapters?', titleOfRun(row));
    const detail = l10n.t('{0} goes to the trash.', row.folder);
    const move = l10n.t('Move to Trash');
    if ((await window.showWarningMessage(question, {modal: true, detail}, move)) !== move) return;
    if (!(await deleteFolder(Uri.file(row.folder)))) return;
    sweeps.gone(row.folder);
    if (!row.earlier) await file.run?.attach();
    history.changed();
  }
}

const noteIn = (typed: string): string =>
  typed
    .split('⏎')
    .map(line => line.trim())
    .join('\n')
    .trim();

/** Where there is no trash, that is said and asked once more; false where it stays. */
async function deleteFolder(uri: Uri): Promise<boolean> {
  try {
    await workspace.fs.delete(uri, {recursive: true, useTrash: true});
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const question = l10n.t('{0} cannot be moved to the trash here. Delete it for good?', basename(uri.fsPath));
    const detail = `${dirname(uri.fsPath)}\n${why}`;
    const forGood = l10n.t('Delete for Good');
    if ((await window.showWarningMessage(question, {modal: true, detail}, forGood)) !== forGood) return false;
    await workspace.fs.delete(uri, {recursive: true});
  }
  return true;
}
