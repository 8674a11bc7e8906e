/** *Doctor*: what is on the machine that trains, as a read-only text to read or to paste into a report. */
import {dirname} from 'node:path';
import {type Disposable, EventEmitter, l10n, ProgressLocation, Uri, version, window, workspace} from 'vscode';
import type {Program} from '../program.ts';

/** Markdown, whose long lines an editor breaks. */
const uri = Uri.from({scheme: 'lora-sweep-doctor', path: '/LoRA Sweep Doctor.md'});

export class Doctor implements Disposable {
  readonly #program: Program;
  readonly #changed = new EventEmitter<Uri>();
  readonly #provider: Disposable;
  #text = '';

  constructor(program: Program) {
    this.#program = program;
    this.#provider = workspace.registerTextDocumentContentProvider(uri.scheme, {
      onDidChange: this.#changed.event,
      provideTextDocumentContent: () => this.#text,
    });
  }

  /** Asks the command, in the first folder of the window if there is one, and shows what it says. */
  async show(): Promise<void> {
    const [first] = workspace.workspaceFolders ?? [];
    const folder = first?.uri.scheme === 'file' ? first.uri.fsPath : dirname(this.#program.file);
    const {text, printed} = await window.withProgress(
      {location: ProgressLocation.Notification, title: l10n.t('Looking at this machine')},
      () => this.#program.run(['doctor', '--editor', version], folder),
    );
    // Where something is broken the command says so by its status; what it found is printed all the same.
    this.#text = printed || text;
    this.#changed.fire(uri);
    await window.showTextDocument(await workspace.openTextDocument(uri), {preview: true});
  }

  dispose(): void {
    this.#provider.dispose();
    this.#changed.dispose();
  }
}
