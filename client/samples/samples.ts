/** The stored answers of a run, opened as read-only texts. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {type Disposable, l10n, Uri, window, workspace} from 'vscode';
import type {AnswersMessage} from '../../core/run/page-messages.ts';
import {
  byTrialLatestFirst,
  readAnswers,
  type SamplesPlace,
  samplesFolder,
  samplesName,
  samplesPlace,
} from '../../core/run/samples.ts';
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
  const places = placesIn(folder, trial);
  if (places.length === 0) {
    void window.showInformationMessage(
      l10n.t(
        '{0} has no answers yet: they are kept when a task that generates them, like exact-match, was evaluated.',
        trial ?? l10n.t('This run'),
      ),
    );
    return;
  }
  const items = places.map(place => ({
    label: trial === undefined ? place.trial : l10n.t('step {0}', place.step),
    description: l10n.t(
      '{0}evaluation {1}',
      trial === undefined ? l10n.t('step {0}, ', place.step) : '',
      place.evaluation + 1,
    ),
    place,
  }));
  const chosen = items.length === 1 ? items[0] : await window.showQuickPick(items, {title: l10n.t('Answers of')});
  if (!chosen) return;
  const uri = Uri.file(join(path, samplesName(chosen.place))).with({scheme});
  await window.showTextDocument(await workspace.openTextDocument(uri), {preview: true});
}

function placesIn(folder: string, trial: string | undefined): SamplesPlace[] {
  const path = join(folder, samplesFolder);
  const found = (existsSync(path) ? readdirSync(path) : []).flatMap(name => samplesPlace(name) ?? []);
  return found.filter(place => trial === undefined || place.trial === trial).sort(byTrialLatestFirst);
}

/** Answers that a page gets at once: as many rows as the tests of the field have. */
const mostAnswers = 2000;

/** What a trial answered, for a page; `at`: at which evaluation, absent = the last one. */
export async function answersOf(
  {folder}: Pick<Run, 'folder'>,
  trial: string,
  at: AnswersMessage['at'],
): Promise<AnswersMessage> {
  const places = placesIn(folder, trial);
  const place = at ? places.find(one => one.step === at.step && one.evaluation === at.evaluation) : places[0];
  const message = {
    type: 'answers' as const,
    trial,
    at,
    places: places.map(({step, evaluation}) => ({step, evaluation})),
  };
  if (!place) return {...message, answers: [], left: 0};
  const {answers} = readAnswers(await readRegular(join(folder, samplesFolder, samplesName(place)), mostBytes));
  return {...message, answers: answers.slice(0, mostAnswers), left: Math.max(0, answers.length - mostAnswers)};
}
