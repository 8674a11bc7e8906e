/** What workers hold: they have one base model on one engine, so that trials of others wait for workers of their own. */
import type {Trial} from '../../core/sweep/sweep.ts';
import {choiceFor} from '../engine/choices.ts';
import type {Choice} from '../engine/choose.ts';
import type {BaseModel} from '../model/open-model.ts';
import type {Prepared} from './prepare.ts';

export interface Ground {
  model: BaseModel;
  choice: Choice;
}

/** What a run needs for its trials to know their ground. */
export interface Whole {
  prepared: Prepared;
  choice: Choice;
}

/** What each trial of a sweep is trained on: the same value for the same ground. */
export function groundsOf({prepared, choice}: Whole): (trial: Trial) => Ground {
  const known = new Map<BaseModel, Map<Choice, Ground>>();
  return trial => {
    const {model, sweep} = prepared.of(trial);
    const own = choiceFor(choice, sweep.training.precision);
    const grounds = known.get(model) ?? new Map<Choice, Ground>();
    const ground = grounds.get(own) ?? {model, choice: own};
    grounds.set(own, ground);
    known.set(model, grounds);
    return ground;
  };
}

/** A run, as far as it goes on one of its grounds. */
export function onGround<Run extends Whole>(run: Run, {model, choice}: Ground): Run {
  return {...run, choice, prepared: {...run.prepared, model}};
}
