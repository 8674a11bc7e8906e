/** *Find a Learning Rate…*: the trainer's `tune` on a sweep file, for one of its methods. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {commands, l10n, Uri, window, workspace} from 'vscode';
import {readTuned, type Tuned} from '../core/run/tuned.ts';
import {tuningName} from '../core/search/tuning.ts';
import {runFolderName, runsFolder} from '../core/sweep/folder.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import type {Program} from './program.ts';
import type {Results} from './results.ts';
import type {Run} from './run/run.ts';
import type {SweepFile, Sweeps} from './sweeps.ts';

interface Parts {
  sweeps: Sweeps;
  program: Program;
  results: Results;
}

/** Asks for the method where there are several; what was found is said at the end, with the way to the adapter. */
export async function tune({uri, sweep}: SweepFile, {sweeps, program, results}: Parts): Promise<void> {
  const shown = workspace.asRelativePath(uri);
  if (!sweep) {
    void window.showErrorMessage(l10n.t('{0} has errors: see the Problems view.', shown));
    return;
  }
  const names = sweep.methods.map(nameOf);
  const method = names.length === 1 ? names[0] : await window.showQuickPick(names, {title: l10n.t('Find the rate of')});
  if (method === undefined) return;
  const folder = join(dirname(uri.fsPath), runsFolder, runFolderName(tuningName(sweep, method)));
  const run = await sweeps.at(folder);
  if (run.alive) {
    void window.showInformationMessage(l10n.t('The rate of {0} in {1} is being looked for already.', method, shown));
    return;
  }
  const earlier = existsSync(join(folder, 'events.jsonl')) ? ['--resume'] : [];
  const child = program.startRun(['tune', uri.fsPath, '--method', method, '--json', ...earlier], uri.fsPath, folder);
  child.on('message', message => {
    const tuned = readTuned(message);
    if (tuned) void sayFound(tuned, run, results);
  });
  child.once('exit', status => {
    // What ended before, or in the middle of, the run is said of every run.
    if (status === 1 && run.state.state === 'finished') void window.showErrorMessage(program.lastWords(folder));
  });
  run.follow(child);
}

async function sayFound({words, exported}: Tuned, run: Run, results: Results): Promise<void> {
  const choice = await window.showInformationMessage(
    l10n.t('{0} Its adapter is in {1}.', words, exported),
    l10n.t('Show'),
    l10n.t('Open Results'),
  );
  if (choice === l10n.t('Show')) await commands.executeCommand('revealFileInOS', Uri.file(exported));
  if (choice === l10n.t('Open Results')) await results.open(run);
}
