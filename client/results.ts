/** The dashboard of a run in the editor: the page gets a snapshot when it listens, and increments after. */
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {basename, extname, join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {commands, type Disposable, env, l10n, Uri, ViewColumn, type WebviewPanel, window, workspace} from 'vscode';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import {isEarlier} from '../core/run/history/earlier.ts';
import type {
  AnswersAt,
  OthersMessage,
  PageAction,
  PageMessage,
  ReadingMessage,
  RunMessage,
  TrialsAction,
} from '../core/run/page-messages.ts';
import {type CurveName, difference, inPieces} from '../core/run/update.ts';
import {pickRun} from './pick-run.ts';
import {Follower} from './run/follow.ts';
import type {Run} from './run/run.ts';
import {answersOf} from './samples/samples.ts';
import {readingText} from './status-text.ts';

/** Trials of one message: others have a turn before the next. */
const mostTrials = 20;
/** The type of the panel, also that under which the editor brings it back after a reload. */
export const resultsView = 'loraSweep.results';

interface Shown {
  panel: WebviewPanel;
  run: Run;
  /** The page hears messages. */
  listens: boolean;
  /** What it knows; undefined: nothing yet. */
  sent: RunState | undefined;
  /** The curves that it draws. */
  curve: CurveName;
  /** Runs shown beside it. */
  others: Follower[];
  /** What is being sent. */
  sending: Promise<void>;
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
    await this.show(run, window.createWebviewPanel(resultsView, '', {viewColumn: this.#column(), preserveFocus: true}));
  }

  /** Where other results are; else another group that is there, before a further one is opened, which would be narrow. */
  #column(): ViewColumn {
    const [shown] = this.#shown.values();
    if (shown?.panel.viewColumn) return shown.panel.viewColumn;
    const others = window.tabGroups.all.filter(({isActive}) => !isActive);
    return others.at(-1)?.viewColumn ?? ViewColumn.Beside;
  }

  /** Fills a panel, a new one or one that a reload brought back. */
  async show(run: Run, panel: WebviewPanel): Promise<void> {
    const shown: Shown = {
      ...{panel, run, listens: false, sent: undefined, curve: 'losses'},
      ...{others: [], sending: Promise.resolve()},
    };
    this.#shown.set(run.folder, shown);
    panel.title = l10n.t('Results: {0}', calledBy(run));
    panel.webview.options = {enableScripts: true, localResourceRoots: []};
    panel.onDidDispose(() => {
      shown.listens = false;
      this.#shown.delete(run.folder);
    });
    panel.webview.onDidReceiveMessage((message: PageMessage) => this.#receive(shown, message));
    panel.webview.html = await this.#page();
  }

  /** Tells the panel of a run, where there is one, what is new. */
  changed(run: Run): void {
    const shown = this.#shown.get(run.folder);
    if (shown) send(shown);
  }

  dispose(): void {
    for (const {panel} of this.#shown.values()) panel.dispose();
  }

  #receive(shown: Shown, message: PageMessage): void {
    if (message.type === 'ready') {
      Object.assign(shown, {listens: true, sent: undefined, curve: message.curve});
      send(shown);
      if (shown.others.length === 0) shown.others = message.others.map(folder => new Follower(folder));
      void sendOthers(shown);
    } else if (message.type === 'curve') {
      Object.assign(shown, {sent: undefined, curve: message.curve});
      send(shown);
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
<body><main><p class="empty">${l10n.t('Reading the run…')}</p></main><script nonce="${nonce}">${script?.replace(/<\/(script)/gi, '<\\/$1')}</script></body>
</html>`;
  }
}

/** The results of an earlier run go by its folder: the present one has the same name. */
function calledBy({folder, state}: Run): string {
  const name = basename(folder);
  return isEarlier(name) ? name : state.name || 'sweep';
}

/** Tells the page what it does not know yet; one after another, where that takes a while. */
function send(shown: Shown): void {
  shown.sending = shown.sending.then(() => sendNow(shown)).catch(() => {});
}

async function sendNow(shown: Shown): Promise<void> {
  const {panel, run, sent, curve} = shown;
  if (!shown.listens) return;
  const {state, alive, reading, folder, sweepFile, progress} = run;
  panel.title = l10n.t('Results: {0}{1}', calledBy(run), reading === null ? '' : `, ${readingText(reading)}`);
  // Of a long run that is being read the page gets how far it is, and all of it at the end.
  if (reading !== null) {
    const message: ReadingMessage = {type: 'reading', part: reading};
    void panel.webview.postMessage(message);
    return;
  }
  shown.sent = state;
  let first = sent === undefined;
  for (const {update, more} of inPieces(sent ?? emptyRun, state, new Set([curve, 'losses']), mostTrials)) {
    // A page that asked anew meanwhile gets it from its beginning.
    if (shown.sent !== state || !shown.listens) return;
    const message: RunMessage = {
      ...{type: 'run', first, more, update},
      ...{alive, progress, folder, sweepFile},
    };
    void panel.webview.postMessage(message);
    first = false;
    if (more) await setImmediate();
  }
}

async function sendAnswers({panel, run}: Shown, trial: string, at: AnswersAt | null): Promise<void> {
  try {
    void panel.webview.postMessage(await answersOf(run, trial, at));
  } catch (error) {
    void window.showErrorMessage(
      l10n.t('The answers of {0} cannot be read: {1}', trial, error instanceof Error ? error.message : String(error)),
    );
  }
}

async function addOther(shown: Shown): Promise<void> {
  const taken = [shown.run.folder, ...shown.others.map(({folder}) => folder)];
  const folder = await pickRun(l10n.t('Compare with'), taken);
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
    runs.push({
      name: basename(folder),
      folder,
      update: difference(emptyRun, follower.state(false), new Set(['losses'])),
    });
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
  const filters = {Pictures: [extname(file).slice(1)]};
  const target = await window.showSaveDialog({defaultUri: Uri.file(join(folder, file)), filters});
  if (target) await workspace.fs.writeFile(target, Buffer.from(base64, 'base64'));
}
