/** *Try the Sample Sweep*: the extension's own small model, rows and sweep file, copied to where they can be changed, and run. */
import {cp, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {l10n, Uri, window, workspace} from 'vscode';

/** What of the demo's folder it takes. */
const parts = ['base', 'desc-train.jsonl', 'desc-test.jsonl', 'desc.sweep.yaml'];
const sweepFile = 'desc.sweep.yaml';
/** In the first folder of the window. */
const folderName = 'lora-sweep-sample';

/**
 * Puts the sample into the first folder of the window, without one into the extension's own storage; what is there already stays
 * as it is. Shows its sweep file and answers where that is; undefined where it cannot be written, which is said.
 * @param demo the folder that the extension carries
 */
export async function openSample(demo: string, storage: string): Promise<Uri | undefined> {
  const first = workspace.workspaceFolders?.find(({uri}) => uri.scheme === 'file');
  const folder = first ? join(first.uri.fsPath, folderName) : join(storage, 'sample');
  try {
    await mkdir(folder, {recursive: true});
    for (const part of parts) await cp(join(demo, part), join(folder, part), {recursive: true, force: false});
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(l10n.t('The sample cannot be put into {0}: {1}', folder, why));
    return undefined;
  }
  const uri = Uri.file(join(folder, sweepFile));
  await window.showTextDocument(uri);
  return uri;
}
