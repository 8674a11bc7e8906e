/** *Fetch Model…*: a model from the hub into the local cache, with progress that can be cancelled. */
import {dirname} from 'node:path';
import {l10n, ProgressLocation, window} from 'vscode';
import {hubModels, isHubId, offerInWords, sizeOfOffer} from '../../core/hub/models.ts';
import {formatMemory} from '../../core/run/format.ts';
import {isRecord} from '../../core/shape.ts';
import type {Program} from '../program.ts';

/** How far the command `fetch` says that it is, of all files together. */
interface Fetching {
  file: string;
  bytes: number;
  total: number;
}

/** @param id its hub id; asked for where it is undefined. @returns the id where it is in the cache now */
export async function fetchModel(id: string | undefined, program: Program): Promise<string | undefined> {
  const wanted = id ?? (await askForModel());
  if (wanted === undefined) return undefined;
  const name = offerInWords(wanted);
  const options = {location: ProgressLocation.Notification, title: l10n.t('Fetching {0}', name), cancellable: true};
  const {ok, text, cancelled} = await window.withProgress(options, async (progress, token) => {
    let shown = 0;
    const hear = (message: unknown): void => {
      const told = fetchingIn(message);
      if (!told || told.total === 0) return;
      const percent = (100 * told.bytes) / told.total;
      progress.report({
        message: `${formatMemory(told.bytes)} of ${formatMemory(told.total)}`,
        increment: percent - shown,
      });
      shown = percent;
    };
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    const ended = await program.runTelling(['fetch', wanted], dirname(program.file), hear, abort.signal);
    return {...ended, cancelled: token.isCancellationRequested};
  });
  if (ok) {
    void window.showInformationMessage(l10n.t('{0} is in the local cache: sweep files name it {1}.', name, wanted));
    return wanted;
  }
  // What was fetched is kept: the next time goes on from there.
  if (!cancelled) void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  return undefined;
}

async function askForModel(): Promise<string | undefined> {
  const offers = hubModels.map(offer => ({label: offer.id, description: sizeOfOffer(offer), id: offer.id}));
  const other = {
    label: l10n.t('$(edit) Another hub id…'),
    description: l10n.t('ORG/NAME, or ORG/NAME@REVISION'),
    id: undefined,
  };
  const chosen = await window.showQuickPick([...offers, other], {title: l10n.t('Fetch which model?')});
  return chosen && (chosen.id ?? askForId());
}

/** The hub id that the user types. */
export function askForId(): Thenable<string | undefined> {
  return window.showInputBox({
    title: l10n.t('The id of a model on the hub'),
    placeHolder: l10n.t('ORG/NAME, or ORG/NAME@REVISION'),
    validateInput: text => (isHubId(text.trim()) ? undefined : l10n.t('An id like HuggingFaceTB/SmolLM2-135M.')),
  });
}

function fetchingIn(message: unknown): Fetching | undefined {
  const told = isRecord(message) ? message['fetching'] : undefined;
  return isFetching(told) ? told : undefined;
}

function isFetching(value: unknown): value is Fetching {
  return isRecord(value) && typeof value['bytes'] === 'number' && typeof value['total'] === 'number';
}
