/** What can be made of a file that still has errors: enough to look at the files it names. */
import {dataOf, evaluationOf, methodWith, targetsIn} from './assemble.ts';
import {targetsOf} from './axes/values.ts';
import type {Problem} from './problem.ts';
import type {DataSettings, EvaluationSettings, MethodSettings, Sweep} from './sweep.ts';
import {dataSetsOf, methodsOf, type Values} from './table/file-values.ts';

/** Each part as far as it can be read; a part that an error may have changed is absent. */
export interface Draft {
  name: string;
  model: string | undefined;
  /** Further ones, by their place in the list. */
  models: {index: number; model: string}[];
  targets: Sweep['targets'] | undefined;
  /** Further choices of targets, with the keys that lead to each. */
  choices: {path: (string | number)[]; targets: Sweep['targets']}[];
  /** Those that can be read, without their learning rates. */
  methods: MethodSettings[];
  /** The data files by their place in the list. */
  train: string[];
  /** How rows are read; undefined where anything about that is wrong. */
  data: DataSettings | undefined;
  /** By their place in the list; `settings` where the entry is whole. */
  evaluate: {index: number; data: string | undefined; scorer: string | undefined; settings?: EvaluationSettings}[];
  /** Data sets with names, each with what is trained on and measured of it. */
  sets: (Pick<Draft, 'train' | 'data' | 'evaluate'> & {name: string})[];
  /** The rows to be probed, where they are a file of their own. */
  probed: string | undefined;
  /** Where nothing is wrong. */
  sweep: Sweep | undefined;
}

function evaluationIn(entry: Values['evaluate'][number], index: number, isWrong: boolean): Draft['evaluate'][number] {
  const settings = isWrong ? undefined : evaluationOf(entry);
  return {index, data: entry.data, scorer: entry.scorer, ...(settings && {settings})};
}

/** All choices of targets but the first. */
function choicesOf({targets}: Values): Draft['choices'] {
  const named = typeof targets === 'object' && !Array.isArray(targets);
  return targetsOf(targets)
    .slice(1)
    .map(({text, value}, k) => ({path: ['targets', named ? text : k + 1], targets: value as Sweep['targets']}));
}

export function draftOf(values: Values, name: string, problems: readonly Problem[], sweep: Sweep | undefined): Draft {
  const wrong = (...path: (string | number)[]) =>
    problems.some(({severity, path: at}) => severity === 'error' && path.every((key, k) => at[k] === key));
  const data = values.data;
  return {
    name: values.name ?? name,
    model: values.model?.[0],
    models: (values.model ?? []).slice(1).map((model, k) => ({index: k + 1, model})),
    choices: wrong('targets') ? [] : choicesOf(values),
    targets: wrong('targets') ? undefined : targetsIn(values),
    methods: methodsOf(values).flatMap(entry =>
      wrong('methods', entry.name) || wrong('rank') || wrong('alpha') ? [] : methodWith([], entry, values),
    ),
    train: data?.train ?? [],
    data: data && !wrong('data') ? dataOf(data) : undefined,
    evaluate: values.evaluate.map((entry, index) => evaluationIn(entry, index, wrong('evaluate', index))),
    sets: dataSetsOf(values).map(({name, set}) => ({
      name,
      train: set.train ?? [],
      data: wrong('data', name) ? undefined : dataOf(set),
      evaluate: set.evaluate.map((entry, index) => evaluationIn(entry, index, wrong('data', name, 'evaluate'))),
    })),
    probed: values.curvature?.data,
    sweep,
  };
}
