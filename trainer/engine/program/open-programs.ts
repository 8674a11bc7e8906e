/** The programs that an engine has open, so that it can let go of all of them at its end. */
interface Disposable {
  dispose(): Promise<void>;
}

export class OpenPrograms {
  readonly #open = new Set<Disposable>();

  /** Keeps a program until the returned function, or the engine's end, disposes of it: once. */
  keep(program: Disposable): () => Promise<void> {
    this.#open.add(program);
    return async () => {
      if (this.#open.delete(program)) await program.dispose();
    };
  }

  async dispose(): Promise<void> {
    for (const program of this.#open) await program.dispose();
    this.#open.clear();
  }
}
