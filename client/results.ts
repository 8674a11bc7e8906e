/** The results of a sweep in the editor: the report's page, written anew when the run ends. */
import {mkdir, readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {type Disposable, ViewColumn, type WebviewPanel, window} from 'vscode';
import {withPolicy} from './policy.ts';
import type {Program} from './program.ts';
import type {Run} from './run.ts';

export class Results implements Disposable {
  readonly #program: Program;
  readonly #storage: string;
  readonly #panels = new Map<string, WebviewPanel>();

  constructor(program: Program, storage: string) {
    this.#program = program;
    this.#storage = storage;
  }

  /** Shows the results of a run folder, in the panel that shows them already. */
  async open(run: Run): Promise<void> {
    const known = this.#panels.get(run.folder);
    const title = `Results: ${run.state.name || 'sweep'}`;
    const panel =
      known ??
      window.createWebviewPanel('loraSweep.results', title, ViewColumn.Beside, {
        enableScripts: true,
        localResourceRoots: [],
      });
    if (!known) {
      this.#panels.set(run.folder, panel);
      panel.onDidDispose(() => this.#panels.delete(run.folder));
    }
    panel.reveal(undefined, true);
    await this.refresh(run);
  }

  /** Writes an open panel anew. */
  async refresh(run: Run): Promise<void> {
    const panel = this.#panels.get(run.folder);
    if (!panel) return;
    await mkdir(this.#storage, {recursive: true});
    const page = join(this.#storage, 'report.html');
    const {ok, text} = await this.#program.run(['report', run.folder, '--out', page], dirname(run.sweepFile));
    panel.webview.html = ok ? withPolicy(await readFile(page, 'utf8')) : withPolicy(`<p>${escaped(text)}</p>`);
  }

  dispose(): void {
    for (const panel of this.#panels.values()) panel.dispose();
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
