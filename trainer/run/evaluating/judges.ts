/** Who judges the answers of a run. */
import type {Trial} from '../../../core/sweep/sweep.ts';
import {type Judge, openJudge} from '../../task/judge.ts';
import type {Prepared} from '../prepare.ts';
import type {UnderWay} from '../under-way.ts';

/** A judge for every way in which trials are asked; each answer goes to that of its trial. */
export function openJudges({prepared, store}: UnderWay, todo: readonly Trial[]): Judge {
  const judges = new Map<Prepared['prompts'], Judge>();
  const known = new Map(todo.map(trial => [trial.id, trial]));
  const judgeOf = (id: string): Judge => {
    const {trials, places} = store.state();
    // Trials that are added later are those of the run.
    const trial = known.get(id) ?? trials[places[id] ?? -1]?.trial ?? {};
    const own = prepared.of(trial);
    const judge = judges.get(own.prompts) ?? openJudge({...own, evaluations: own.sweep.evaluate, folder: store.folder});
    judges.set(own.prompts, judge);
    return judge;
  };
  let isClosed = false;
  return {
    async score(result) {
      const judge = judgeOf(result.trial);
      if (isClosed) judge.close();
      return judge.score(result);
    },
    close() {
      isClosed = true;
      for (const judge of judges.values()) judge.close();
    },
  };
}
