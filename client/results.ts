/** The dashboard of a run in the editor: the page gets a snapshot when it listens, and increments after. */
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {commands, type Disposable, env, Uri, ViewColumn, type WebviewPanel, window, workspace} from 'vscode';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import type {
  AnswersAt,
  OthersMessage,
  PageAction,
  PageMessage,
  RunMessage,
  TrialsAction,
} from '../core/run/page-messages.ts';
import {difference} from '../core/run/update.ts';
import {pickRun} from './pick-run.ts';
import {Follower} from './run/follow.ts';
import type {Run} from './run/run.ts';
import {answersOf} from './samples/samples.ts';
import {readingText} from './status-text.ts';

/** The page hears of a run's progress this often at most, in milliseconds. */
const sendEvery = 400;
/** The type of the panel, also that under which the editor brings it back after a reload. */
export const resultsView = 'loraSweep.results';

interface Shown {
  panel: WebviewPanel;
  run: Run;
  /** What the page knows; undefined until it listens. */
  sent: RunState | undefined;
  alive: boolean;
  /** Runs shown beside it. */
  others: Follower[];
  timer: NodeJS.Timeout | undefined;
}

export class Results implements Disposable {
  readonly #pages: string;
  readonly #withTrials: (run: Run, action: TrialsAction, trials: string[]) => Promise<void>;
  readonly #shown = new Map<string, Shown>();

  /** @param pages folder of the bundled page; @param withTrials does what the page asks to be done with trials */
  constructor(pages: string, withTrials: (run: Run, action: TrialsAction, trials: string[]) => Promise<void>) {
    this.#pages = pages;
    this.#withTrials = withTrials;
  }

  /** Shows the results of a run folder, in the panel that shows them already. */
  async open(run: Run): Promise<void> {
    const known = this.#shown.get(run.folder);
    if (known) {
      known.panel.reveal(undefined, true);
      return;
    }
    await this.show(
      run,
      window.createWebviewPanel(resultsView, '', {viewColumn: ViewColumn.Beside, preserveFocus: true}),
    );
  }

  /** Fills a panel, a new one or one that a reload brought back. */
  async show(run: Run, panel: WebviewPanel): Promise<void> {
    const shown: Shown = {panel, run, sent: undefined, alive: run.alive, others: [], timer: undefined};
    this.#shown.set(run.folder, shown);
    panel.title = `Results: ${run.state.name || 'sweep'}`;
    panel.webview.options = {enableScripts: true, localResourceRoots: []};
    panel.onDidDispose(() => {
      clearTimeout(shown.timer);
      this.#shown.delete(run.folder);
    });
    panel.webview.onDidReceiveMessage((message: PageMessage) => this.#receive(shown, message));
    panel.webview.html = await this.#page();
  }

  /** Tells the panel of a run, where there is one, what is new. */
  changed(run: Run): void {
    const shown = this.#shown.get(run.folder);
    if (!shown || shown.timer) return;
    shown.timer = setTimeout(() => {
      shown.timer = undefined;
      this.#send(shown);
    }, sendEvery);
  }

  dispose(): void {
    for (const {panel} of this.#shown.values()) panel.dispose();
  }

  #receive(shown: Shown, message: PageMessage): void {
    if (message.type === 'ready') {
      shown.sent = undefined;
      this.#send(shown, true);
      if (shown.others.length === 0) shown.others = message.others.map(folder => new Follower(folder));
      void sendOthers(shown);
    } else if (message.type === 'compare') void addOther(shown);
    else if (message.type === 'alone') {
      shown.others = [];
      void sendOthers(shown);
    } else if (message.type === 'copy') void env.clipboard.writeText(message.text);
    else if (message.type === 'save') void savePicture(message.name, message.base64, shown.run.folder);
    else if (message.type === 'askAnswers') void sendAnswers(shown, message.trial, message.at);
    else if (message.type === 'trials') void this.#withTrials(shown.run, message.action, message.trials);
    else if (message.type === 'moreSeeds')
      void commands.executeCommand('loraSweep.moreSeeds', Uri.file(shown.run.sweepFile).toString(), message.wish);
    else void act(message.action, Uri.file(shown.run.sweepFile));
  }

  #send(shown: Shown, first = false): void {
    const {panel, run, sent} = shown;
    if (!first && !sent) return;
    const {state, alive} = run;
    const message: RunMessage = {
      type: 'run',
      first,
      update: difference(sent ?? emptyRun, state),
      alive,
      folder: run.folder,
      sweepFile: run.sweepFile,
    };
    shown.sent = state;
    panel.title = `Results: ${state.name || 'sweep'}${run.reading === null ? '' : `, ${readingText(run.reading)}`}`;
    void panel.webview.postMessage(message);
  }

  /** Only the page's own script and style run, and nothing is loaded from anywhere. */
  async #page(): Promise<string> {
    const [script, style] = await Promise.all(
      ['report.js', 'report.css'].map(name => readFile(join(this.#pages, name), 'utf8')),
    );
    const nonce = randomBytes(16).toString('base64');
    const policy = `default-src 'none'; img-src data: blob:; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>LoRA Sweep</title>
<style nonce="${nonce}">${style}</style>
</head>
<body><main></main><script nonce="${nonce}">${script?.replace(/<\/(script)/gi, '<\\/$1')}</script></body>
</html>`;
  }
}

async function sendAnswers({panel, run}: Shown, trial: string, at: AnswersAt | null): Promise<void> {
  try {
    void panel.webview.postMessage(await answersOf(run, trial, at));
  } catch (error) {
    void window.showErrorMessage(
      `The answers of ${trial} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

async function addOther(shown: Shown): Promise<void> {
  const taken = [shown.run.folder, ...shown.others.map(({folder}) => folder)];
  const folder = await pickRun('Compare with', taken);
  if (folder === undefined) return;
  shown.others.push(new Follower(folder));
  await sendOthers(shown);
}

/** As they are now: what is compared with does not stream. */
async function sendOthers({panel, others}: Shown): Promise<void> {
  const runs: OthersMessage['runs'] = [];
  for (const follower of others) {
    await follower.read();
    const {folder} = follower;
    runs.push({name: basename(folder), folder, update: difference(emptyRun, follower.state(false))});
  }
  const message: OthersMessage = {type: 'others', runs};
  void panel.webview.postMessage(message);
}

async function act(action: PageAction, sweepFile: Uri): Promise<void> {
  if (action === 'openSweep') await window.showTextDocument(sweepFile, {viewColumn: ViewColumn.One});
  else await commands.executeCommand(`loraSweep.${action}`, sweepFile.toString());
}

async function savePicture(name: string, base64: string, folder: string): Promise<void> {
  const file = name.replace(/[^\w.-]+/g, '-');
  const target = await window.showSaveDialog({defaultUri: Uri.file(join(folder, file)), filters: {Pictures: ['png']}});
  if (target) await workspace.fs.writeFile(target, Buffer.from(base64, 'base64'));
}
