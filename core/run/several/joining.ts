/** What several runs are as one: its roles, its state, the decisions of their searches. */
import {cellOf} from '../../search/cells.ts';
import {axisTitle} from '../../sweep/axes/axes.ts';
import type {RunState, TrialView} from '../fold.ts';
import {formatSeconds} from '../format.ts';
import type {Part} from './part.ts';

/** What decides and what is tuned; where the runs do not agree, a remark. */
export function rolesTogether(
  parts: readonly Part[],
  remarks: string[],
): Pick<RunState, 'tune' | 'objective' | 'verdict'> {
  const told = (key: 'objective' | 'verdict'): RunState['objective'] | RunState['verdict'] => {
    const found = parts.filter(({state}) =>
      key === 'objective' ? state.objective.length > 0 : state.verdict !== null,
    );
    const different = new Set(found.map(({state}) => JSON.stringify(state[key])));
    if (different.size > 1) remarks.push(`The runs differ in ${key}; that of ${found[0]!.name} counts.`);
    return found[0]?.state[key] ?? (key === 'objective' ? [] : null);
  };
  return {
    objective: told('objective') as RunState['objective'],
    verdict: told('verdict') as RunState['verdict'],
    tune: tunedTogether(parts, remarks),
  };
}

/** A key is tuned that some run tunes and none has several values of without tuning it. */
function tunedTogether(parts: readonly Part[], remarks: string[]): string[] {
  const keys = [...new Set(parts.flatMap(({state}) => state.tune))];
  return keys.filter(key => {
    const against = parts.find(({state}) => {
      const texts = new Set(state.trials.map(({trial}) => trial.settings?.[key]));
      return !state.tune.includes(key) && texts.size > 1;
    });
    if (against)
      remarks.push(
        `${axisTitle(key)} is a condition in ${against.name} and tuned elsewhere: it is a condition of all.`,
      );
    return against === undefined;
  });
}

/** Name, state and times. */
export function runsInWords(
  parts: readonly Part[],
): Pick<RunState, 'name' | 'reason' | 'state' | 'seconds' | 'startedAt' | 'lastAt' | 'search'> {
  const states = parts.map(({state}) => state);
  const is = (wanted: RunState['state']): boolean => states.some(({state}) => state === wanted);
  const worst = (['running', 'stopped', 'failed', 'waiting'] as const).find(is);
  const times = (key: 'startedAt' | 'lastAt'): number[] => states.flatMap(state => state[key] ?? []);
  return {
    name: parts.map(({name}) => name).join(' + '),
    reason: parts.map(({name, state}) => `${name} (${formatSeconds(state.seconds)})`).join(', '),
    state: worst ?? 'finished',
    seconds: states.reduce((sum, {seconds}) => sum + seconds, 0),
    startedAt: times('startedAt').length > 0 ? Math.min(...times('startedAt')) : null,
    lastAt: times('lastAt').length > 0 ? Math.max(...times('lastAt')) : null,
    search: states.find(({search}) => search !== null)?.search ?? null,
  };
}

/** The decisions of searches under the names that their cells have here. One of which two runs decided is judged by all of its rates. */
export function cellsBy(
  states: readonly RunState[],
  named: readonly {part: number; from: string; view: TrialView}[],
): Pick<RunState, 'searched' | 'challenged'> {
  const cells = states.map((state, part) => {
    const own = named.filter(one => one.part === part);
    return new Map(
      own.map(({from, view}) => [cellOf(state.trials[state.places[from]!]!.trial), cellOf(view.trial)] as const),
    );
  });
  const searched = states.flatMap((state, part) =>
    state.searched.flatMap(one => {
      const cell = cells[part]!.get(one.cell);
      return cell === undefined ? [] : [{...one, cell}];
    }),
  );
  const times = new Map<string, number>();
  for (const {cell} of searched) times.set(cell, (times.get(cell) ?? 0) + 1);
  return {
    searched: searched.filter(({cell}) => times.get(cell) === 1),
    challenged: states.flatMap((state, part) =>
      state.challenged.flatMap(one => {
        const cell = cells[part]!.get(one.cell);
        return cell === undefined ? [] : [{...one, cell}];
      }),
    ),
  };
}
