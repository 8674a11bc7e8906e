/** Sweep files as runs followed them, as read-only texts, and their differences in the editor's own view. */
import {basename, join} from 'node:path';
import {commands, type Disposable, l10n, Uri, workspace} from 'vscode';
import {type RunRow, titleOfRun} from '../../core/run/history/row.ts';
import {readRegular} from '../run/regular.ts';

const scheme = 'lora-sweep-run';
/** As large as a sweep file may be. */
const mostBytes = 16 << 20;

export function provideStoredTexts(): Disposable {
  return workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: ({fsPath}) => readRegular(fsPath, mostBytes),
  });
}

/** Null where the run noted none. */
function storedText({folder, sweepFile}: RunRow): Uri | null {
  return sweepFile === null ? null : Uri.file(join(folder, sweepFile)).with({scheme});
}

/** A run, left, beside the sweep file as it is now, or beside another run; false where one of them has no text. */
export async function showDifference(run: RunRow, other: RunRow | Uri): Promise<boolean> {
  const left = storedText(run);
  const right = other instanceof Uri ? other : storedText(other);
  if (!left || !right) return false;
  const name = other instanceof Uri ? basename(other.fsPath) : titleOfRun(other);
  const title = l10n.t('{0} ↔ {1}', titleOfRun(run), name);
  await commands.executeCommand('vscode.diff', left, right, title, {preview: true});
  return true;
}
