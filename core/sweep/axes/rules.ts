/** How axes, roles and variants of a file fit together. */
import {formatEvaluation} from '../../run/format.ts';
import {type Unit, unitOf} from '../../run/peak.ts';
import {withEntries} from '../entries.ts';
import {folderName} from '../folder.ts';
import type {ProblemCode} from '../problem.ts';
import {either, type Problems, quote, replacement} from '../problems.ts';
import type {EvaluationSettings} from '../sweep.ts';
import {fieldAt, fields} from '../table/fields.ts';
import {dataSetsOf, methodsOf, type Values} from '../table/file-values.ts';
import {find} from '../text/locate.ts';
import type {MappingNode} from '../text/nodes.ts';
import {checkAlike} from './alike.ts';

interface File {
  values: Values;
  root: MappingNode;
  problems: Problems;
}

type Path = (string | number)[];

export function checkAxes(file: File): void {
  checkNames(file);
  checkDataSets(file);
  checkTuned(file);
  checkUnused(file);
  checkPrecision(file);
  checkAlike(file);
  checkObjective(file);
}

function report({root, problems}: File, code: ProblemCode, path: Path, message: string): void {
  const found = find({root}, path);
  if (found) problems.report(code, {path, range: found.node.range}, message);
}

/** The name of a variant begins the names of folders. */
function checkNames({values, root, problems}: File): void {
  for (const {name, method} of methodsOf(values)) {
    if (name === method || (folderName(name) === name && !/[.,]/.test(name))) continue;
    const path = ['methods', name];
    const range = find({root}, path)?.keyRange;
    const better = folderName(name.replace(/[.,]/g, '-'));
    const message = `${quote(name)} cannot be the name of a variant, as adapters lie in folders of that name: use letters, digits, '-' and '_'.`;
    if (range) problems.report('unknown-value', {path, range}, message, [replacement(range, better)]);
  }
}

function checkDataSets(file: File): void {
  const sets = dataSetsOf(file.values);
  const [first] = sets;
  if (!first) return;
  const written = find(file, ['data'])?.node;
  const beside =
    written?.kind === 'mapping' ? written.entries.filter(({key}) => !sets.some(({name}) => name === key)) : [];
  for (const {key} of beside)
    if (fieldAt(['data', key]) && key in fields.data.type.keys)
      report(
        file,
        'unknown-key',
        ['data', key],
        `'data.${key}' stands beside named data sets: write it into each of them.`,
      );
  const evaluated = sets.filter(({set}) => set.evaluate.length > 0);
  for (const {name, set} of sets) {
    if (evaluated.length > 0 && set.evaluate.length === 0 && file.values.evaluate.length === 0)
      file.problems.at(
        ['data', name],
        'missing-key',
        `The data set ${name} has no 'evaluate', which ${evaluated[0]!.name} has: nothing that is trained on it is compared. Give it evaluations of its own.`,
        [],
        'warning',
      );
    if (folderName(name) !== name || /[.,]/.test(name))
      report(
        file,
        'unknown-value',
        ['data', name],
        `${quote(name)} cannot be the name of a data set: use letters, digits, '-' and '_'.`,
      );
    for (const key of ['rows', 'max_length', 'template'] as const)
      if ((set[key]?.length ?? 0) > 1)
        report(
          file,
          'not-yet',
          ['data', name, key],
          `A named data set has one value of '${key}': give each value a data set of its own.`,
        );
  }
  if (file.values.search !== 'grid')
    report(
      file,
      'not-yet',
      ['search'],
      "A search goes by one evaluation, and each data set has its own: take 'search: grid', or one data set.",
    );
}

function checkTuned(file: File): void {
  const {tune} = file.values;
  if (!tune.includes('learning_rate'))
    report(
      file,
      'unknown-value',
      ['tune'],
      "'tune' must hold learning_rate: methods can only be compared fairly when each is at a rate near its own best.",
    );
  const {verdict, objective} = file.values;
  const isMean = typeof objective === 'object' && (objective.mean?.length ?? 0) > 1;
  if (verdict?.seeds !== undefined && (isMean || dataSetsOf(file.values).length > 0))
    report(
      file,
      'not-yet',
      ['verdict', 'seeds'],
      "Further seeds come where one evaluation decides: remove 'verdict.seeds', and write more 'seeds'.",
    );
}

/** Several values of a key that another one stands in place of would all be the same. */
function checkUnused(file: File): void {
  const {training} = file.values;
  for (const [key, ruler] of [['epochs', 'steps'] as const, ['warmup_ratio', 'warmup_steps'] as const]) {
    if (training[ruler] !== undefined && training[key].length > 1)
      report(
        file,
        'out-of-range',
        ['training', key],
        `'training.${ruler}' stands in place of '${key}', of which several values would all be the same: remove one of the two.`,
      );
    for (const {name, own} of methodsOf(file.values)) {
      const isRuled = own.training?.[ruler] !== undefined;
      if (!isRuled && own.training?.[key] === undefined) continue;
      const [given, other] = isRuled ? [ruler, key] : [key, ruler];
      const others = isRuled && training[ruler] !== undefined ? undefined : training[other];
      if ((others?.length ?? 1) < 2) continue;
      report(
        file,
        'out-of-range',
        ['methods', name, 'training', given],
        `'training.${given}' of ${name} stands beside several values of 'training.${other}', which would all be the same for it: remove one of the two.`,
      );
    }
  }
}

function checkPrecision(file: File): void {
  const all = [
    {path: [], precisions: file.values.training.precision as readonly string[]},
    ...methodsOf(file.values).map(({name, own}) => ({
      path: ['methods', name],
      precisions: own.training?.precision ?? [],
    })),
  ].filter(({precisions}) => precisions.length > 0);
  if (new Set(all.flatMap(({precisions}) => precisions)).size < 2) return;
  const message =
    "'auto' is one of the other precisions, which one depends on the machine: name those that are compared, float32 and bfloat16.";
  for (const {path, precisions} of all) {
    const own = [...path, 'training', 'precision'];
    const place = precisions.indexOf('auto');
    if (place >= 0) report(file, 'unknown-value', precisions.length > 1 ? [...own, place] : own, message);
  }
}

/** The names of a file's evaluations with what each gives. */
function evaluationsOf(values: Values): {name: string; unit: Unit}[] {
  const sets = dataSetsOf(values).map(({set}) => [...set.evaluate, ...values.evaluate]);
  const wholes = (sets.length > 0 ? sets : [values.evaluate]).map(evaluate =>
    withEntries(
      evaluate.flatMap(({task, data}) => (task && data !== undefined ? [{task, data, maxNewTokens: 1}] : [])),
    ),
  );
  return wholes.flat().map(({task, entry}) => ({
    name: formatEvaluation(task, entry),
    unit: unitOf(metricOf(task)),
  }));
}

const metricOf = (task: EvaluationSettings['task']): string =>
  task === 'loss' ? 'loss' : task === 'custom' ? 'score' : 'accuracy';

function checkObjective(file: File): void {
  const {objective, evaluate, search} = file.values;
  if (objective === undefined) return;
  const names = typeof objective === 'string' ? [objective] : (objective.mean ?? []);
  const known = evaluationsOf(file.values);
  const path = typeof objective === 'string' ? ['objective'] : ['objective', 'mean'];
  const unknown = names.find(name => !known.some(one => one.name === name));
  if (unknown !== undefined && !evaluate.some(({task}) => task === undefined)) {
    const has =
      known.length === 0 ? "the file has none: add one under 'evaluate'" : either(known.map(({name}) => name));
    report(file, 'unknown-value', path, `There is no evaluation ${quote(unknown)} to decide what is best: ${has}.`);
  }
  const units = new Set(known.flatMap(({name, unit}) => (names.includes(name) ? [unit] : [])));
  if (units.size > 1)
    report(
      file,
      'unknown-value',
      path,
      'The mean of a loss, a share and a score says nothing: take evaluations that give the same kind of number.',
    );
  if (names.length > 1 && search !== 'grid')
    report(
      file,
      'not-yet',
      path,
      "A search goes by one evaluation: name one of them as 'objective', or take 'search: grid'.",
    );
}
