/** The stored answers of a run, opened as read-only texts. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {type Disposable, Uri, window, workspace} from 'vscode';
import {type SamplesPlace, samplesFolder, samplesName, samplesPlace} from '../../core/run/samples.ts';
import {readRegular} from '../run/regular.ts';
import type {Run} from '../run/run.ts';
import {samplesText} from './samples-text.ts';

/** Bytes of the answers of one evaluation. */
const mostBytes = 256 << 20;

const scheme = 'lora-sweep-samples';

/** Makes texts of samples files where the editor asks for them. */
export function provideSamples(): Disposable {
  return workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: async ({fsPath}) => samplesText(fsPath, await readRegular(fsPath, mostBytes)),
  });
}

/** @param trial its id; undefined = all of the run. Asks where there are several files. */
export async function openSamples({folder}: Run, trial: string | undefined): Promise<void> {
  const path = join(folder, samplesFolder);
  const found = (existsSync(path) ? readdirSync(path) : []).flatMap(name => samplesPlace(name) ?? []);
  const places = found.filter(place => trial === undefined || place.trial === trial).sort(byTrialLatestFirst);
  if (places.length === 0) {
    void window.showInformationMessage(
      `${trial ?? 'This run'} has no answers yet: they are kept when a task that generates them, like exact-match, was evaluated.`,
    );
    return;
  }
  const items = places.map(place => ({
    label: trial === undefined ? place.trial : `step ${place.step}`,
    description: `${trial === undefined ? `step ${place.step}, ` : ''}evaluation ${place.evaluation + 1}`,
    place,
  }));
  const chosen = items.length === 1 ? items[0] : await window.showQuickPick(items, {title: 'Answers of'});
  if (!chosen) return;
  const uri = Uri.file(join(path, samplesName(chosen.place))).with({scheme});
  await window.showTextDocument(await workspace.openTextDocument(uri), {preview: true});
}

function byTrialLatestFirst(a: SamplesPlace, b: SamplesPlace): number {
  return a.trial.localeCompare(b.trial) || b.step - a.step || a.evaluation - b.evaluation;
}
