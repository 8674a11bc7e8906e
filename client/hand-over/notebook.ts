/** *Open in Notebook*: the tables of a run, and a new notebook that reads them. */
import {join} from 'node:path';
import {
  commands,
  l10n,
  NotebookCellData,
  NotebookCellKind,
  NotebookData,
  ProgressLocation,
  window,
  workspace,
} from 'vscode';
import {notebookCells} from '../../core/run/notebook.ts';
import type {Program} from '../program.ts';
import type {Run} from '../run/run.ts';

/** The notebook is nobody's file until it is saved: what somebody made of an earlier one stays. */
export async function openNotebook(run: Run, program: Program): Promise<void> {
  const options = {location: ProgressLocation.Notification, title: l10n.t('Writing the tables of the run')};
  const {ok, text} = await window.withProgress(options, () =>
    program.run(['export', run.folder, '--to', 'csv'], run.folder),
  );
  if (!ok) {
    void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
    return;
  }
  const cells = notebookCells(run.state?.name ?? '', join(run.folder, 'export', 'csv'));
  const data = new NotebookData(
    cells.map(({kind, text: source}) =>
      kind === 'code'
        ? new NotebookCellData(NotebookCellKind.Code, source, 'python')
        : new NotebookCellData(NotebookCellKind.Markup, source, 'markdown'),
    ),
  );
  const notebook = await workspace.openNotebookDocument('jupyter-notebook', data);
  await commands.executeCommand('vscode.openWith', notebook.uri, 'jupyter-notebook');
}
