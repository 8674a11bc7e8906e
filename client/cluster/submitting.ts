/** *Submit…*, *Resume What Is Left…*, *Cancel*: a run over many machines, by the trainer's own commands. */
import {existsSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {commands, type Disposable, l10n, ProgressLocation, Uri, window, workspace} from 'vscode';
import {count} from '../../core/run/format.ts';
import {type Submission, submissionInWords} from '../../core/run/tasks/submission.ts';
import type {Program} from '../program.ts';
import type {Run} from '../run/run.ts';
import type {SweepFile} from '../sweeps.ts';
import {askHow} from './ask-how.ts';
import {ScriptTexts} from './script-text.ts';

export class Submitting implements Disposable {
  readonly #program: Program;
  readonly #texts = new ScriptTexts();

  constructor(program: Program) {
    this.#program = program;
  }

  dispose(): void {
    this.#texts.dispose();
  }

  /** Asks how, shows what would be handed over, and hands it over where the user says so; of a run of tasks what is left. */
  async submit({uri, run}: SweepFile): Promise<void> {
    if (!run) {
      void window.showErrorMessage(l10n.t('{0} has errors: see the Problems view.', workspace.asRelativePath(uri)));
      return;
    }
    if (run.hasTasks && run.state.submitted.length > 0) return this.resume(run);
    const how = await askHow(this.#program, dirname(run.sweepFile));
    // A folder that holds a run is handed over as it was planned, or it is said why not.
    const target = existsSync(join(run.folder, 'events.jsonl')) ? run.folder : run.sweepFile;
    if (how) await this.#offer(run, [target, ...how]);
  }

  /** What is left of a run of tasks, handed over as it was before. */
  async resume(run: Run): Promise<void> {
    const last = run.state.submitted.at(-1);
    if (last) await this.#offer(run, [run.folder, '--to', last.to]);
    else {
      const how = await askHow(this.#program, dirname(run.sweepFile));
      if (how) await this.#offer(run, [run.folder, ...how]);
    }
  }

  /** What a lens above the script asks for. */
  async confirm(uri: unknown): Promise<void> {
    if (uri instanceof Uri) await this.#texts.accept(uri);
  }

  /** Stops the run, or one of its tasks, and takes it out of the queue; asks before: its place in the queue is lost. */
  async cancel(run: Run, task?: string): Promise<void> {
    const name = run.state.name || basename(run.folder);
    const what = task === undefined ? name : l10n.t('{0} of {1}', task, name);
    const question = l10n.t('Cancel {0}? It is stopped and taken out of the queue; what is trained is kept.', what);
    if ((await window.showWarningMessage(question, {modal: true}, l10n.t('Cancel the Jobs'))) === undefined) return;
    const words = ['cancel', run.folder, ...(task === undefined ? [] : ['--tasks', task])];
    const {ok} = await this.#worked(l10n.t('Cancelling {0}', what), words, run);
    await run.attach();
    if (!ok) return;
    if (task === undefined) run.cancelled();
    const next = l10n.t('Resume What Is Left');
    const choice = await window.showInformationMessage(
      l10n.t('{0} is cancelled; what is trained is kept.', what),
      next,
    );
    if (choice) await this.resume(run);
  }

  /** Shows the script; hands over what is shown, and nothing else. */
  async #offer(run: Run, words: readonly string[]): Promise<void> {
    const name = run.state.name || basename(run.folder);
    const shown = await this.#dryRun(l10n.t('Planning {0}', name), words, run);
    if (!shown) return;
    if (shown.tasks.length === 0) {
      void window.showInformationMessage(shown.said.join(' '));
      return;
    }
    const text = textOf(shown);
    const title = titleOf(shown, words);
    const accept = async (): Promise<void> => {
      const now = await this.#dryRun(l10n.t('Looking at {0} once more', name), words, run);
      if (!now) return;
      if (textOf(now) === text) return this.#handOver(name, words, run);
      void window.showWarningMessage(l10n.t('What would be handed over has changed meanwhile; nothing was.'));
      await this.#offer(run, words);
    };
    const file = shown.scripts[0]!.name;
    const uri = await this.#texts.show(`${name} ${basename(file)}`, {text, title, accept});
    const choice = await window.showInformationMessage(l10n.t('{0}?', title), title.split(' ')[0]!);
    if (choice) await this.#texts.accept(uri);
  }

  async #dryRun(title: string, words: readonly string[], run: Run): Promise<Submission | undefined> {
    const {ok, text} = await this.#worked(title, ['submit', ...words, '--dry-run', '--json'], run);
    return ok ? (JSON.parse(text) as Submission) : undefined;
  }

  async #handOver(name: string, words: readonly string[], run: Run): Promise<void> {
    const {ok, text} = await this.#worked(l10n.t('Submitting {0}', name), ['submit', ...words, '--json'], run);
    await run.attach();
    if (!ok) return;
    const {said, scripts, folder, jobs} = JSON.parse(text) as Submission;
    const next = jobs.length > 0 ? l10n.t('Show Tasks') : l10n.t('Open');
    const choice = await window.showInformationMessage(said[0] ?? l10n.t('{0} is handed over.', name), next);
    if (choice === l10n.t('Show Tasks')) await commands.executeCommand('loraSweep.trials.focus');
    if (choice === l10n.t('Open'))
      await commands.executeCommand('vscode.open', Uri.file(join(folder, scripts[0]!.name)));
  }

  /** Runs a command with its progress shown; what went wrong is shown, too. */
  async #worked(title: string, words: readonly string[], run: Run): Promise<{ok: boolean; text: string}> {
    const {ok, text} = await window.withProgress({location: ProgressLocation.Notification, title}, () =>
      this.#program.run(words, dirname(run.sweepFile)),
    );
    if (!ok) void window.showErrorMessage(text.replace(/^(.*\n)*?lora-sweep: /, ''));
    return {ok, text};
  }
}

const textOf = (submission: Submission): string => `${[...submissionInWords(submission)].join('\n')}\n`;

/** `Submit 8 tasks to Slurm` */
function titleOf({tasks, scripts}: Submission, words: readonly string[]): string {
  const to = words[words.indexOf('--to') + 1];
  return to === 'slurm'
    ? l10n.t('Submit {0} to Slurm', count(tasks.length, 'task'))
    : l10n.t('Write {0} for {1}', scripts.map(({name}) => name).join(' and '), count(tasks.length, 'task'));
}
