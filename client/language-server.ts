/** The language server as the rest of the extension sees it: started when it is first needed. */
import type {ExtensionContext} from 'vscode';
import type {LanguageClient} from 'vscode-languageclient/node';
import type {Program} from './program.ts';
import type {Run} from './run/run.ts';

/** The server hears of a run's progress this often at most, in milliseconds. */
const tellEvery = 1000;
/** Once more so long after a run's end, when its process has let go of everything. */
const afterTheEnd = 2000;

export class LanguageServer {
  readonly #context: ExtensionContext;
  readonly #program: Program;
  #client: Promise<LanguageClient> | undefined;
  /** Folders of runs that the server will hear of. */
  readonly #told = new Map<string, NodeJS.Timeout>();
  /** What the server knows of how runs stand, by their folders. */
  readonly #said = new Map<string, string>();
  readonly #wasAlive = new Set<string>();

  constructor(context: ExtensionContext, program: Program) {
    this.#context = context;
    this.#program = program;
  }

  start(): Promise<LanguageClient> {
    this.#client ??= import('./language.ts').then(({startLanguage}) => startLanguage(this.#context, this.#program));
    return this.#client;
  }

  async command<T>(name: string, ...args: unknown[]): Promise<T> {
    const client = await this.start();
    return client.sendRequest('workspace/executeCommand', {command: `loraSweep.server.${name}`, arguments: args});
  }

  /** Files that name a model may find it now. */
  modelFetched(): void {
    void this.#client?.then(client => client.sendNotification('loraSweep/modelFetched'));
  }

  /** What stands beside a sweep file changes with its run. */
  runChanged(run: Run): void {
    this.#say(run);
    this.#tell(run);
    if (run.alive) this.#wasAlive.add(run.folder);
    else if (this.#wasAlive.delete(run.folder)) setTimeout(() => this.#tell(run), afterTheEnd);
  }

  /** How it stands, for the lens above its file: at once, so that all that shows it agrees. */
  #say({folder, alive, said}: Run): void {
    const words = alive ? said : '';
    if (!this.#client || (this.#said.get(folder) ?? '') === words) return;
    this.#said.set(folder, words);
    void this.#client.then(client => client.sendNotification('loraSweep/runSaid', {folder, said: words}));
  }

  #tell({folder}: Run): void {
    if (!this.#client || this.#told.has(folder)) return;
    const send = () => {
      this.#told.delete(folder);
      void this.#client?.then(client => client.sendNotification('loraSweep/runChanged', {folder}));
    };
    this.#told.set(folder, setTimeout(send, tellEvery));
  }
}
