/** Compiled programs, kept while trials of the same setting follow each other: compiling costs many steps' time. */
import type {Computation, Engine, Program} from './engine.ts';

export class Programs {
  readonly engine: Engine;
  #setting = '';
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Names the setting that following programs belong to; those of another setting are let go. */
  async use(setting: string): Promise<void> {
    if (setting === this.#setting) return;
    await this.dispose();
    this.#setting = setting;
  }

  /** The program of this name, compiled at its first use. The name says everything the computation depends on within a setting. */
  get(name: string, computation: () => Computation): Promise<Program> {
    let program = this.#programs.get(name);
    if (program === undefined) {
      program = this.engine.compile(computation());
      this.#programs.set(name, program);
    }
    return program;
  }

  async dispose(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    for (const program of programs) await (await program).dispose();
  }
}
