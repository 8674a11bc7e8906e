/** The number on the icon in the activity bar: runs that have ended since the view was seen last. */
import type {Disposable, TreeView} from 'vscode';

export class EndedBadge implements Disposable {
  readonly #view: Pick<TreeView<unknown>, 'badge' | 'visible'>;
  readonly #subscription: Disposable;
  #ended: string[] = [];

  constructor(view: Pick<TreeView<unknown>, 'badge' | 'visible' | 'onDidChangeVisibility'>) {
    this.#view = view;
    this.#subscription = view.onDidChangeVisibility(({visible}) => {
      if (visible) this.#show([]);
    });
  }

  /** @param name of the run */
  ended(name: string): void {
    if (!this.#view.visible) this.#show([...this.#ended, name]);
  }

  #show(ended: string[]): void {
    this.#ended = ended;
    const tooltip = `ended: ${ended.join(', ')}`;
    this.#view.badge = ended.length > 0 ? {value: ended.length, tooltip} : undefined;
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}
