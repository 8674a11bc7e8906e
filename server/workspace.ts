/** Problems of every sweep file of the workspace, on request: also of those that are not open. */
import {pathToFileURL} from 'node:url';
import type {PublishDiagnosticsParams, WorkspaceFolder} from 'vscode-languageserver/node';
import type {Inspector} from '../core/sweep/inspection.ts';
import {diagnostics} from './diagnostics.ts';
import {SweepDocument} from './document.ts';
import type {Watch} from './watch.ts';

/** Publishes the problems of all sweep files; returns how many files there are and how many have errors. */
export async function checkFolders(
  folders: readonly WorkspaceFolder[],
  inspector: Inspector,
  watch: Watch,
  publish: (file: PublishDiagnosticsParams) => void,
): Promise<{files: number; withErrors: number}> {
  let [files, withErrors] = [0, 0];
  for (const {uri: folder} of folders)
    for (const {file, text} of await inspector.sweepFiles(folder)) {
      const uri = pathToFileURL(file).href;
      const document = watch.document(uri) ?? new SweepDocument(uri, 0, text);
      const {draft} = document.reading;
      if (draft) document.around = await inspector.inspect(draft, file);
      const found = diagnostics(document);
      files++;
      if (found.some(({severity}) => severity === 1)) withErrors++;
      publish({uri, diagnostics: found});
    }
  return {files, withErrors};
}
