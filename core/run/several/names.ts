/** Names of methods and evaluations that mean different things in different runs are told apart by the run. */
import {nameOf} from '../../sweep/sweep.ts';
import type {RunState} from '../fold.ts';
import {differingKeys, evaluationsOf, methodsOf} from './made.ts';
import type {Part} from './part.ts';

export interface Names<Of> {
  /** Of something of this part. */
  nameOf(of: Of, part: number): string;
  remarks: string[];
}

/** Whether a run says what its results depend on. */
export const isTold = ({made}: Pick<RunState, 'made'>): boolean => made !== null;

/** `lora-ga (second)` where the second run has other settings of it, or does not say which it has. */
export function methodNames(parts: readonly Part[]): Names<{method: string; name?: string}> {
  const known = new Map<string, {run: string; method: string; options: Map<string, string>}>();
  const isAnyTold = parts.some(({state}) => isTold(state));
  const renamed = new Set<string>();
  const remarks: string[] = [];
  for (const [part, {name: run, state}] of parts.entries()) {
    const options = methodsOf(state);
    const all = new Map([
      ...state.aggregates.map(({method}) => [method, method] as const),
      ...state.trials.map(({trial}) => [nameOf(trial), trial.method] as const),
    ]);
    if (!isTold(state)) {
      if (isAnyTold || part > 0) for (const name of all.keys()) renamed.add(`${part} ${name}`);
      continue;
    }
    for (const [name, method] of all) {
      const own = {run, method, options: options.get(name) ?? new Map<string, string>()};
      const before = known.get(name);
      const keys = before ? differingKeys(before.options, own.options, key => `methods.${method}.${key}`) : [];
      if (!before) known.set(name, own);
      else if (before.method !== method || keys.length > 0) {
        renamed.add(`${part} ${name}`);
        const what = keys.length > 0 ? keys.join(', ') : 'method';
        remarks.push(
          `${name} of ${run} is another one than that of ${before.run} (${what}) and stands as ${name} (${run}).`,
        );
      }
    }
  }
  const naming = (one: {method: string; name?: string}, part: number): string => {
    const name = nameOf(one);
    return renamed.has(`${part} ${name}`) ? `${name} (${parts[part]!.name})` : name;
  };
  return {nameOf: naming, remarks};
}

/** `gsm8k (second)` where the second run evaluates it on other rows, or in another way. */
export function evaluationNames(parts: readonly Part[]): Names<string> {
  const known = new Map<string, {run: string; settings: Map<string, string>}>();
  const renamed = new Set<string>();
  const remarks: string[] = [];
  for (const [part, {name: run, state}] of parts.entries())
    for (const [name, settings] of evaluationsOf(state)) {
      const before = known.get(name);
      if (!before) {
        known.set(name, {run, settings});
        continue;
      }
      const keys = differingKeys(before.settings, settings, key => `evaluate.${key}`);
      if (keys.length === 0) continue;
      const task = name.replace(/^data\[[^\]]*\]/, '');
      renamed.add(`${part} ${task}`);
      remarks.push(
        `${task} of ${run} is another evaluation than that of ${before.run} (${keys.join(', ')}) and stands as ${task} (${run}).`,
      );
    }
  return {
    nameOf: (task, part) => (renamed.has(`${part} ${task}`) ? `${task} (${parts[part]!.name})` : task),
    remarks: [...new Set(remarks)],
  };
}
