/** What a submission would hand over, as a read-only text with what can be done with it above its first line. */
import {
  type CodeLens,
  type Disposable,
  EventEmitter,
  languages,
  Range,
  type TextDocument,
  Uri,
  window,
  workspace,
} from 'vscode';

const scheme = 'lora-sweep-script';

export interface Offered {
  text: string;
  /** What is done with it, e.g. `Submit 8 tasks to Slurm`. */
  title: string;
  accept(): Promise<void>;
}

export class ScriptTexts implements Disposable {
  readonly #offered = new Map<string, Offered>();
  readonly #changed = new EventEmitter<Uri>();
  readonly #lenses = new EventEmitter<void>();
  readonly #disposables: Disposable[];

  constructor() {
    this.#disposables = [
      this.#changed,
      this.#lenses,
      workspace.registerTextDocumentContentProvider(scheme, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: uri => this.#offered.get(uri.toString())?.text ?? '',
      }),
      languages.registerCodeLensProvider(
        {scheme},
        {onDidChangeCodeLenses: this.#lenses.event, provideCodeLenses: document => this.#lensesOf(document)},
      ),
      workspace.onDidCloseTextDocument(({uri}) => this.#offered.delete(uri.toString())),
    ];
  }

  /** Shows it, in the editor that shows an earlier one of that name; `name` ends as its language wants. */
  async show(name: string, offered: Offered): Promise<Uri> {
    const uri = Uri.from({scheme, path: `/${name}`});
    this.#offered.set(uri.toString(), offered);
    this.#changed.fire(uri);
    await window.showTextDocument(await workspace.openTextDocument(uri), {preview: true});
    this.#lenses.fire();
    return uri;
  }

  /** Does what it offers, once. */
  async accept(uri: Uri): Promise<void> {
    const key = uri.toString();
    const offered = this.#offered.get(key);
    if (!offered || offered.title === '') return;
    // Its text stays, to be read.
    this.#offered.set(key, {...offered, title: ''});
    this.#lenses.fire();
    await offered.accept();
  }

  dispose(): void {
    for (const one of this.#disposables) one.dispose();
  }

  #lensesOf({uri}: TextDocument): CodeLens[] {
    const title = this.#offered.get(uri.toString())?.title ?? '';
    if (title === '') return [];
    const range = new Range(0, 0, 0, 0);
    return [{range, isResolved: true, command: {title, command: 'loraSweep.confirmSubmit', arguments: [uri]}}];
  }
}
