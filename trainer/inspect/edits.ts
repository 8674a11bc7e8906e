/** Edits of a sweep file that has results, as far as they keep its run from going on: said where they stand. */
import {join} from 'node:path';
import type {RunState} from '../../core/run/fold.ts';
import {isAxisKey} from '../../core/sweep/axes/axes.ts';
import type {Fault} from '../../core/sweep/inspection.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';
import {refusedEdits} from '../store/edits.ts';
import {type Change, changeInWords} from '../store/ingredients.ts';
import {readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {changedTrials} from '../store/run.ts';

/** @param trials of the sweep, under the ids that they have in its run */
export function editFaults(folder: string, state: RunState, sweep: Sweep, trials: readonly Trial[]): Fault[] {
  const manifest = readManifest(join(folder, manifestName));
  if (!manifest || state.trials.every(view => view.state === 'waiting')) return [];
  const found = [...refusedEdits(manifest, sweep), ...changedTrials(state, trials)];
  // Of several trials the first one tells.
  const byPlace = new Map(found.toReversed().map(change => [pathOf(change).join('.'), change]));
  return [...byPlace.values()].reverse().map(change => faultOf(change, folder, sweep));
}

function faultOf(change: Change, folder: string, sweep: Sweep): Fault {
  const both = together(change);
  const compared = both === undefined ? '' : ` write both to compare them (${both}),`;
  return {
    code: 'results/changed',
    message: `${changeInWords(change, sweep)} since the run in ${folder} began, which cannot go on so: undo the change,${compared} or give the sweep another name.`,
    path: pathOf(change),
    ...(both !== undefined && {instead: both}),
  };
}

/** The two values as a list, where the key may have one. */
function together({key, before, after}: Change): string | undefined {
  if (!isAxisKey(nameIn(key))) return undefined;
  const values = [before, after];
  return values.every(value => typeof value === 'number' || typeof value === 'string')
    ? `[${values.join(', ')}]`
    : undefined;
}

const nameIn = (key: string): string => key.split(' of ', 1)[0]!;

/** Where a key of the table stands in the file: `data.rows`, `evaluate[0].limit`, `alpha of lora at rank 8`. */
function pathOf({key, after}: Change): (string | number)[] {
  if (key === 'training.length') return ['training', ...Object.keys((after as object | null) ?? {})];
  const plain = nameIn(key).replace(/\[([^\]]+)\]/g, '.$1');
  return plain.split('.').map(part => (/^\d+$/.test(part) ? Number(part) : part));
}
