/** Problems of every sweep file of the workspace, on request, and from then on: also of those that are not open. */
import type {PublishDiagnosticsParams, WorkspaceFolder} from 'vscode-languageserver/node';
import type {Inspector} from '../core/sweep/inspection.ts';
import {diagnostics} from './diagnostics.ts';
import {SweepDocument} from './document.ts';
import {uriOf} from './paths.ts';
import type {Watch} from './watch.ts';

export class ClosedFiles {
  readonly #inspector: Inspector;
  readonly #watch: Watch;
  readonly #publish: (file: PublishDiagnosticsParams) => void;
  /** Files whose problems are shown, by URI. */
  readonly #shown = new Set<string>();
  #folders: readonly WorkspaceFolder[] = [];
  #isLooking = false;
  #isStale = false;

  constructor(inspector: Inspector, watch: Watch, publish: (file: PublishDiagnosticsParams) => void) {
    this.#inspector = inspector;
    this.#watch = watch;
    this.#publish = publish;
  }

  /** Publishes the problems of all sweep files; returns how many files there are and how many have errors. */
  async checkFolders(folders: readonly WorkspaceFolder[]): Promise<{files: number; withErrors: number}> {
    this.#folders = folders;
    let withErrors = 0;
    const before = new Set(this.#shown);
    this.#shown.clear();
    for (const {uri: folder} of folders)
      for (const {file, text} of await this.#inspector.sweepFiles(folder)) {
        const uri = uriOf(file);
        this.#shown.add(uri);
        before.delete(uri);
        if (await this.#check(uri, file, text)) withErrors++;
      }
    // Those that are gone have no problems any more.
    for (const uri of before) if (!this.#watch.document(uri)) this.#publish({uri, diagnostics: []});
    return {files: this.#shown.size, withErrors};
  }

  /** Files changed, came or went: what is shown of those that are not open follows. Nothing before all were asked for. */
  async changed(uris: readonly string[]): Promise<void> {
    if (this.#folders.length === 0) return;
    // A data file or a model may be named by any of them.
    const isNamed = uris.some(uri => !/\.sweep\.ya?ml$/.test(uri));
    if (!isNamed && uris.every(uri => this.#watch.document(uri))) return;
    // Files change in crowds: one look at a time, and one more for what changed meanwhile.
    this.#isStale = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.checkFolders(this.#folders);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #check(uri: string, file: string, text: string): Promise<boolean> {
    const document = this.#watch.document(uri) ?? new SweepDocument(uri, 0, text);
    const {draft} = document.reading;
    if (draft) document.around = await this.#inspector.inspect(draft, file);
    const found = diagnostics(document);
    this.#publish({uri, diagnostics: found});
    return found.some(({severity}) => severity === 1);
  }
}
