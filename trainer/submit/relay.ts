/** The relay: the small job that comes after the arrays, looks at the folder, and ends the run or files what is left. */
import type {RunState} from '../../core/run/fold.ts';
import {count, formatSeconds} from '../../core/run/format.ts';
import {elementOf, logName} from '../../core/run/tasks/elements.ts';
import {readRun} from '../store/run.ts';
import {stopWished} from '../store/stop-file.ts';
import {decide} from './decide.ts';
import {relayFacts, sinceByHand} from './facts.ts';
import {giveUp} from './give-up.ts';
import {busyTasks, fileTasks, filingOf, type Handing, jobsOf} from './left.ts';
import {pauseOf} from './pause.ts';
import {closingTask, wantedIn} from './rounds.ts';
import {queueHere} from './slurm/commands.ts';
import {lastWords} from './slurm/last-words.ts';

export interface Relayed {
  /** `end`: nothing is left. `waiting`: another relay comes after what is left. */
  kind: 'end' | 'cancelled' | 'again' | 'give-up' | 'waiting';
  /** What was done, in sentences. */
  said: string[];
}

/** One round. @throws SweepError `no-run`, and as `fileTasks` */
export async function relay(folder: string, handing: Handing): Promise<Relayed> {
  const {state} = await readRun(folder, undefined, true);
  const busy = busyTasks(state, await queueHere());
  const closing = await closingTask(folder, state);
  const facts = relayFacts(state, {retryFailed: handing.retryFailed, cancelled: stopWished(folder), closing});
  const wanted = await wantedIn(folder, state);
  const isNext = ({task}: {task: string}) => !busy.has(task) && (wanted?.has(task) ?? true);
  const decision = decide({...facts, tasks: facts.tasks.filter(isNext)});
  switch (decision.kind) {
    case 'end':
      return busy.size > 0
        ? {kind: 'waiting', said: [`${count(busy.size, 'task')} were filed by somebody else and go on.`]}
        : {kind: 'end', said: []};
    case 'cancelled':
      return {kind: 'cancelled', said: ['What is left was cancelled; nothing is filed again.']};
    case 'give-up':
      return {kind: 'give-up', said: abandon(folder, state, decision.tasks)};
    case 'again': {
      const retried = facts.tasks.flatMap(({task, state: now}) => (now === 'failed' ? [task] : []));
      const pause = pauseOf(sinceByHand(state.submitted), Date.now());
      const filing = {...filingOf(folder, state, decision.tasks, {...handing, prepare: false}), pause};
      const filed = await fileTasks(filing, state, {by: 'relay', retried});
      const jobs = jobsOf(filed).join(' ');
      return {
        kind: 'again',
        said: [
          `Round ${filing.round}: ${count(decision.tasks.length, 'task')} filed again as jobs ${jobs}${pause > 0 ? `, which begin in ${formatSeconds(pause)}: rounds end fast` : ''}.`,
        ],
      };
    }
  }
}

/** Marks what nothing comes of as failed, with what its log says last. */
function abandon(folder: string, state: RunState, tasks: readonly string[]): string[] {
  return tasks.map(task => {
    const element = elementOf(state.submitted, task);
    const words = element === null ? null : lastWords(folder, element);
    const message =
      words === null
        ? `${task} came no further in two rounds, and its job wrote no log${element === null ? '' : ` (${logName(element)})`}.`
        : `${task} came no further in two rounds; the last words of ${logName(element!)}: ${words}`;
    giveUp(folder, state, task, message);
    return message;
  });
}
