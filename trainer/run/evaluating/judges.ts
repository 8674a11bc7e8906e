/** Who judges the answers of a run. */
import type {Trial} from '../../../core/sweep/sweep.ts';
import {type Judge, openJudge} from '../../task/judge.ts';
import type {Prepared} from '../prepare.ts';
import type {UnderWay} from '../under-way.ts';

/** A judge for every way in which these trials are asked; each answer goes to that of its trial. */
export function openJudges({prepared, store}: UnderWay, todo: readonly Trial[]): Judge {
  const judges = new Map<Prepared['prompts'], Judge>();
  const byTrial = new Map<string, Judge>();
  for (const trial of todo) {
    const own = prepared.of(trial);
    const judge = judges.get(own.prompts) ?? openJudge({...own, evaluations: own.sweep.evaluate, folder: store.folder});
    judges.set(own.prompts, judge);
    byTrial.set(trial.id, judge);
  }
  const judgeOf = (id: string): Judge => {
    const {trials, places} = store.state();
    // Trials that a search added later are judged as those of their settings.
    const added = trials[places[id] ?? -1]?.trial;
    return byTrial.get(id) ?? (added && judges.get(prepared.of(added).prompts)) ?? [...judges.values()][0]!;
  };
  return {
    score: result => judgeOf(result.trial).score(result),
    close: () => judges.forEach(judge => void judge.close()),
  };
}
