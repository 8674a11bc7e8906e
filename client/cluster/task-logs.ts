/** What the jobs of a task said, from the logs in the run folder. */
import {lstatSync} from 'node:fs';
import {join} from 'node:path';
import {commands, l10n, Uri, window} from 'vscode';
import {elementsOf, logName} from '../../core/run/tasks/elements.ts';
import type {Run} from '../run/run.ts';
import type {Branch} from '../tree-model.ts';

/** Of a task's row the log of its last job, or the one that is chosen; of a job's row its own. */
export async function openTaskLog({folder, state}: Run, {kind, id}: Branch): Promise<void> {
  const [what, job] = id.split(' ');
  const elements = kind === 'job' ? [`${job}_${what}`] : elementsOf(state.submitted, id);
  const found = elements.filter(element => isRegular(join(folder, logName(element))));
  if (found.length === 0) {
    void window.showInformationMessage(whyNone(id, elements[0]));
    return;
  }
  const items = found.map((element, k) => ({
    label: l10n.t('job {0}', element),
    description: k === 0 ? l10n.t('the last one') : '',
    element,
  }));
  const chosen = items.length === 1 ? items[0] : await window.showQuickPick(items, {title: l10n.t('Logs of {0}', id)});
  if (chosen) await commands.executeCommand('vscode.open', Uri.file(join(folder, logName(chosen.element))));
}

function whyNone(id: string, element: string | undefined): string {
  return element === undefined
    ? l10n.t('{0} was handed to no scheduler from here: what it said went to whoever started it.', id)
    : l10n.t('{0} has no log yet: its job {1} has not begun.', id, element);
}

/** A folder may come from anywhere: nothing is opened through a link. */
const isRegular = (file: string): boolean => lstatSync(file, {throwIfNoEntry: false})?.isFile() === true;
