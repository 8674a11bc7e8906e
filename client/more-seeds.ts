/** *Run More Seeds…*: which method gets how many. */
import {l10n, window} from 'vscode';
import type {RunState} from '../core/run/fold.ts';
import {count} from '../core/run/format.ts';
import {allSeedWishes} from '../core/run/more-wanted.ts';

/** METHOD=NUMBER; undefined where no method needs any, or none was chosen. */
export async function askForSeeds(state: RunState): Promise<string | undefined> {
  const wishes = allSeedWishes(state);
  if (wishes.length === 0) {
    void window.showInformationMessage(l10n.t('No method of this run waits for a word that more seeds would give.'));
    return undefined;
  }
  const items = wishes.map(({method, seeds}) => ({
    label: method,
    description: l10n.t('needs about {0}', count(seeds, 'more seed')),
    seeds,
  }));
  const item = await window.showQuickPick(items, {title: l10n.t('Run more seeds of')});
  if (!item) return undefined;
  const typed = await window.showInputBox({
    title: l10n.t('How many more seeds of {0}?', item.label),
    value: String(item.seeds),
    validateInput: text => (/^[1-9]\d{0,2}$/.test(text) ? undefined : l10n.t('A number from 1 to 999.')),
  });
  return typed === undefined ? undefined : `${item.label}=${typed}`;
}
