/** What a sweep file that has results already has come to say since. */
import {isEnded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {count} from '../../../core/run/format.ts';
import {furtherTrials} from '../../../core/run/trials/known-trials.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

/**
 * In a sentence what of the file is new, what is kept and what it no longer has; none where all trials are known.
 * @param file all trials of the sweep file, under the ids that they have in their run
 */
export function editedInWords(file: readonly Trial[], earlier: RunState): string[] {
  const begun = earlier.trials.filter(({state}) => state !== 'waiting');
  if (begun.length === 0) return [];
  const own = new Set([...file, ...furtherTrials(file, earlier)].map(({id}) => id));
  const fresh = file.filter(({id}) => earlier.places[id] === undefined).length;
  const kept = begun.filter(({trial, state}) => own.has(trial.id) && isEnded(state)).length;
  const gone = begun.filter(({trial}) => !own.has(trial.id));
  if (fresh === 0 && gone.every(({dropped}) => dropped)) return [];
  const open = own.size - fresh - kept;
  const parts = [
    `${fresh} of its trials ${fresh === 1 ? 'is' : 'are'} new`,
    `${kept} ${kept === 1 ? 'is' : 'are'} kept as trained`,
    ...(open > 0 ? [`${open} ${open === 1 ? 'goes' : 'go'} on`] : []),
  ];
  const some = gone.slice(0, 3).map(({trial}) => trial.id);
  const more = gone.length > some.length ? ', …' : '';
  return [
    `The sweep file was edited: ${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}.`,
    ...(gone.length > 0
      ? [
          `${count(gone.length, 'trial')} ${gone.length === 1 ? 'is' : 'are'} no longer in the file and ${gone.length === 1 ? 'counts' : 'count'} in no comparison until it takes ${gone.length === 1 ? 'it' : 'them'} back: ${some.join(', ')}${more}.`,
        ]
      : []),
  ];
}
