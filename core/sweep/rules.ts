import {type MethodName, methods} from '../method/methods.ts';
import {defaultOptions} from '../method/parameters.ts';
import {product} from '../numbers.ts';
import {checkAxes} from './axes/rules.ts';
import {axisSizes, optimizersOf} from './axes/values.ts';
import type {Fix} from './problem.ts';
import {either, keyName, type Problems, ProblemsWithin, quote, replacement} from './problems.ts';
import {ranksOf} from './ranks.ts';
import {type Grid, gridSize, mostDecades} from './rates.ts';
import {checkObjective, checkStart} from './search-rules.ts';
import type {DataFormat, TaskName} from './sweep.ts';
import {namesOf} from './table/field.ts';
import {fieldAt, fields} from './table/fields.ts';
import {dataSetsOf, methodsOf, seedsIn, type Values, type VariantValues} from './table/file-values.ts';
import {formats, placeholders} from './table/formats.ts';
import {nearest} from './table/suggest.ts';
import {namedColumns, taskColumns} from './table/task-columns.ts';
import {newLine} from './table/values.ts';
import {find} from './text/locate.ts';
import type {MappingNode} from './text/nodes.ts';

type Rates = Values['learning_rate'];
type Path = (string | number)[];

/** What the rules look at: the values, and the text's top level to point at. */
interface File {
  values: Values;
  root: MappingNode;
  problems: Problems;
}

/** More trials than this are a slip, not a plan. */
const mostTrials = 100_000;

/** Looks at what the table cannot say: how the keys of a file fit together. `complete` is false for a file read in part. */
export function checkRules(values: Values, root: MappingNode, complete: boolean, problems: Problems): void {
  const file = {values, root, problems};
  checkGrid(file, ['learning_rate'], values.learning_rate);
  for (const {name, own} of methodsOf(values)) checkGrid(file, ['methods', name, 'learning_rate'], own.learning_rate);
  checkMethods(file);
  checkConflicts(file);
  checkOptimizers(file);
  if (complete) checkLearningRates(file);
  checkAxes(file);
  for (const part of partsOf(file)) {
    checkColumns(part);
    checkTemplate(part);
    checkTemplateSettings(part);
    checkPacking(part);
    checkEvaluations(part);
  }
  if (complete && values.evaluate.length === 0 && find(file, ['evaluate']) === undefined)
    checkObjective(
      {searches: values.search !== 'grid', addsSeeds: values.verdict?.seeds !== undefined},
      root,
      problems,
    );
  const {search, curvature} = values;
  if (complete && typeof search === 'object' && search.start === 'curvature')
    checkStart(
      {methods: methodsOf(values).map(({name}) => name), ...(curvature && {probed: curvature.at})},
      root,
      problems,
    );
  checkVerdict(file);
  checkNumberOfTrials(file);
}

/** The file itself, or each of its data sets as if it were the only one. */
function partsOf(file: File): File[] {
  const sets = dataSetsOf(file.values);
  if (sets.length === 0) return [file];
  return sets.map(({name, set}) => {
    const node = find(file, ['data', name])!.node;
    const evaluate = node.kind === 'mapping' ? node.entries.filter(({key}) => key === 'evaluate') : [];
    const range = node.range;
    const entries = [{key: 'data', keyRange: range, value: node}, ...evaluate];
    const pathOf = ([first, ...rest]: Path): Path =>
      first === 'data' ? ['data', name, ...rest] : ['data', name, first!, ...rest];
    const root: MappingNode = {kind: 'mapping', entries, flow: false, range};
    const problems = new ProblemsWithin(file.problems, pathOf);
    problems.within(root);
    return {values: {...file.values, data: set, evaluate: set.evaluate}, root, problems};
  });
}

function checkGrid(file: File, path: Path, rates: Rates): void {
  const grid = gridOf(rates);
  if (grid === undefined || isSound(grid)) return;
  if (grid.from < grid.to) {
    const message = `The grid '${keyName(path)}' spans more than ${mostDecades} powers of ten: raise 'from' (${grid.from}) or lower 'to' (${grid.to}).`;
    file.problems.at(path, 'out-of-range', message);
    return;
  }
  const from = find(file, [...path, 'from'])?.node;
  const to = find(file, [...path, 'to'])?.node;
  const fixes: Fix[] = [];
  if (from?.kind === 'scalar' && to?.kind === 'scalar') {
    const edits = [
      {range: from.range, text: to.text},
      {range: to.range, text: from.text},
    ];
    fixes.push({title: 'Swap from and to', edits});
  }
  const message = `The grid '${keyName(path)}' is upside down: 'from' (${grid.from}) stands above 'to' (${grid.to}); swap them.`;
  file.problems.at(path, 'grid-upside-down', message, fixes);
}

/** A grid whose ends are readable. */
function gridOf(rates: Rates): Grid | undefined {
  if (rates === undefined || Array.isArray(rates)) return undefined;
  const {from, to, per_decade} = rates;
  return from === undefined || to === undefined ? undefined : {from, to, per_decade};
}

function isSound({from, to}: Grid): boolean {
  return from <= to && Math.log10(to / from) <= mostDecades;
}

function checkMethods(file: File): void {
  const written = find(file, ['methods'])?.node;
  if (written?.kind !== 'mapping' || written.entries.length > 0) return;
  const message = "'methods' is empty: write at least one method into it, like {lora: {}, pissa: {}}.";
  file.problems.report('empty-list', {path: ['methods'], range: written.range}, message);
}

/** What ranks and a method's own keys mean for each other. */
function checkConflicts(file: File): void {
  for (const {name, method, own} of methodsOf(file.values)) {
    const conflicts = methods[method].conflicts?.(ranksOf(method, own, file.values), optionsOf(method, own)) ?? [];
    for (const {key, message} of conflicts) {
      const paths = [['methods', name, key], ['methods', name, 'rank'], ['rank'], ['methods', name], ['methods']];
      file.problems.at(file.problems.firstOf(...paths), 'out-of-range', message);
    }
  }
}

/** What has an AdamW of its own takes its betas from the file's, and no other. */
function checkOptimizers(file: File): void {
  for (const {name, method, own} of methodsOf(file.values)) {
    if (!methods[method].alternates) continue;
    const isOwn = own.training?.optimizer !== undefined;
    const named = [isOwn ? own.training?.optimizer : file.values.training.optimizer].flat();
    const other = named.flatMap(one => (one === undefined ? [] : optimizersOf(one))).find(one => one.name !== 'adamw');
    if (!other) continue;
    const path = isOwn ? ['methods', name, 'training', 'optimizer'] : ['training', 'optimizer'];
    const message = `${methods[method].title} is an AdamW of its own, and cannot be trained with ${other.name}: write 'optimizer: adamw', or give ${name} one of its own.`;
    file.problems.at(path, 'out-of-range', message);
  }
}

/** The keys that only this method has, flags as 1 and 0; one without a default may be absent. */
export function optionsOf(method: MethodName, own: VariantValues): Record<string, number> {
  const {options = {}} = methods[method];
  const given = Object.entries<unknown>(own).flatMap(([key, value]) =>
    Object.hasOwn(options, key) && (typeof value === 'number' || typeof value === 'boolean')
      ? [[key, Number(value)] as const]
      : [],
  );
  return {...defaultOptions(methods[method]), ...Object.fromEntries(given)};
}

/** The learning rate can be given for all methods, or by each for itself. */
function checkLearningRates(file: File): void {
  if (find(file, ['learning_rate']) || isMisspelt('learning_rate', file)) return;
  const methods = methodsOf(file.values).map(({name}) => name);
  const without = methods.filter(name => !find(file, ['methods', name, 'learning_rate']));
  if (methods.length > 0 && without.length === 0) return;
  const line = `learning_rate: ${fieldAt(['learning_rate'])?.example}`;
  const some = without.length < methods.length;
  const who = some
    ? `, and ${without.join(', ')} ${without.length > 1 ? 'have none of their own' : 'has none of its own'}`
    : '';
  const message = `'learning_rate' is missing${who}: add a line like '${line}'.`;
  file.problems.at(['learning_rate'], 'missing-key', message, newLine(file.root, line));
}

/** Whether a key that is not in the table probably means this one: that is said where it stands. */
function isMisspelt(name: keyof typeof fields, {root, problems}: File): boolean {
  const names = namesOf(fields);
  return !problems.full && root.entries.some(({key}) => !names.has(key) && nearest(key, names) === name);
}

/** The format of the data; undefined where it is not readable, so that nothing should be concluded from it. */
function formatOf({values, root}: File): DataFormat | undefined {
  const format = values.data?.format;
  const written = find({root}, ['data', 'format'])?.node;
  return written === undefined || (written.kind === 'scalar' && written.text === format) ? format : undefined;
}

function checkColumns(file: File): void {
  const format = formatOf(file);
  if (format === undefined) return;
  const names = [...Object.keys(formats[format].columns), ...formats[format].optional];
  const otherwise = 'it always has the columns input_ids and labels';
  checkNames(file, ['data', 'columns'], {who: `Format ${format}`, names, otherwise});
}

/** Columns of an evaluation are those of its task, else those of the format. */
function checkEvaluationColumns(file: File, path: Path, task: TaskName): void {
  const own = taskColumns[task];
  const format = formatOf(file);
  if (own || format !== undefined)
    checkNames(file, path, {
      who: own ? `The task ${task}` : `Format ${format}`,
      names: namedColumns(task, format ?? 'instruction'),
      otherwise: own ? 'its rows are read as published' : 'it always has the columns input_ids and labels',
    });
}

/** Keys of a mapping of columns that are none of `names`. */
function checkNames(
  file: File,
  path: Path,
  {who, names, otherwise}: {who: string; names: readonly string[]; otherwise: string},
): void {
  const written = find(file, path)?.node;
  if (written?.kind !== 'mapping') return;
  for (const {key, keyRange} of written.entries) {
    // A key that is in no table is reported by the reader.
    if (names.includes(key) || !fieldAt([...path, key])) continue;
    const meant = nearest(key, new Map(names.map(name => [name, []])));
    const has = names.length > 0 ? `it has ${names.join(', ')}` : otherwise;
    const message = `${who} has no column ${quote(key)}: ${has}.${meant ? ` Did you mean '${meant}'?` : ''}`;
    const fixes = meant ? [replacement(keyRange, meant)] : [];
    file.problems.report('unknown-key', {path: [...path, key], range: keyRange}, message, fixes);
  }
}

function checkTemplate(file: File): void {
  const templates = file.values.data?.template ?? [];
  for (const [index, template] of templates.entries())
    checkOneTemplate(file, template, ['data', 'template', ...(templates.length > 1 ? [index] : [])]);
}

function checkOneTemplate(
  file: File,
  template: NonNullable<NonNullable<Values['data']>['template']>[number],
  path: Path,
): void {
  const format = formatOf(file);
  if (template === 'plain' || format === undefined) return;
  const known = formats[format].inPrompt;
  if (format === 'messages' && template === 'chat') return;
  if (known.length === 0) {
    const message = `Format ${format} has no prompt for a template to shape: remove 'template', or write 'template: plain'.`;
    file.problems.at(path, 'unknown-value', message);
    return;
  }
  if (typeof template === 'string' || template.prompt === undefined) return;
  const prompt = [...path, 'prompt'];
  const used = placeholders(template.prompt);
  const unknown = used.find(name => !known.includes(name));
  const braces = either(known.map(name => `{${name}}`));
  if (unknown !== undefined) {
    const message = `The prompt has a place for {${unknown.slice(0, 40)}}, which format ${format} does not fill: it fills ${braces}; the answer follows the prompt by itself.`;
    file.problems.at(prompt, 'bad-expression', message);
  } else if (!used.includes(known[0]!)) {
    const message = `The prompt has no place for the row, so that all rows would be asked the same: put {${known[0]}} into it.`;
    file.problems.at(prompt, 'bad-expression', message);
  }
}

/** What a chat template is given by itself. */
const givenToTemplates = ['messages', 'tools', 'documents', 'add_generation_prompt'];

function checkTemplateSettings(file: File): void {
  const {data} = file.values;
  const format = formatOf(file);
  for (const name of Object.keys(data?.template_arguments ?? {})) {
    if (!givenToTemplates.includes(name)) continue;
    const path = ['data', 'template_arguments', name];
    const message = `A chat template is given '${name}' by itself, from the rows: remove it from 'template_arguments'.`;
    file.problems.at(path, 'unknown-value', message);
  }
  if (format === undefined || format === 'messages' || data?.template?.includes('chat')) return;
  for (const key of ['template_arguments', 'template_date']) {
    const path = ['data', key];
    if (!find(file, path)) continue;
    const message = `'${key}' is for chat templates, which these rows do not go through: remove it, or take format messages or 'template: chat'.`;
    file.problems.at(path, 'unknown-value', message);
  }
}

/** Keys of an evaluation that only some tasks have, and what is said of them elsewhere. */
const keysOfTasks: readonly {
  key: 'scorer' | 'strict' | 'filters' | 'relative_to';
  tasks: readonly TaskName[];
  message(task: TaskName): string;
}[] = [
  {
    key: 'scorer',
    tasks: ['custom'],
    message: task => `The task ${task} has a rule of its own: remove 'scorer', or take the task custom.`,
  },
  {
    key: 'strict',
    tasks: ['gsm8k', 'math'],
    message: task => `The study's script judges gsm8k and math only: remove 'strict', which the task ${task} has not.`,
  },
  {
    key: 'filters',
    tasks: ['gsm8k'],
    message: task =>
      `lm-evaluation-harness has these filters for gsm8k only: remove 'filters', which the task ${task} has not.`,
  },
  {
    key: 'relative_to',
    tasks: ['loss'],
    message: task =>
      `Only a loss is told relative to the base's: remove 'relative_to', which the task ${task} has not, or take the task loss.`,
  },
];

function checkEvaluations(file: File): void {
  const list = find(file, ['evaluate'])?.node.kind === 'list';
  for (const [index, one] of file.values.evaluate.entries()) {
    const {task, scorer, samples, temperature, stop, k} = one;
    const at = (...keys: Path): Path => (list ? ['evaluate', index, ...keys] : ['evaluate', ...keys]);
    const report = (code: 'missing-key' | 'out-of-range', path: Path, message: string) =>
      file.problems.at(path, code, message);
    if (task !== undefined) checkEvaluationColumns(file, at('columns'), task);
    if (task === 'custom' && scorer === undefined && !find(file, at('scorer')))
      report(
        'missing-key',
        at('task'),
        "The task custom needs a scorer: add 'scorer: score.mjs', a JavaScript module that exports score({row, output}).",
      );
    if (task !== undefined)
      for (const {key, tasks, message} of keysOfTasks)
        if (one[key] !== undefined && one[key] !== false && !tasks.includes(task))
          report('out-of-range', at(key), message(task));
    if (stop !== undefined && formatOf(file) === 'tokens')
      report(
        'out-of-range',
        at('stop'),
        "Texts to stop at are looked for in text, which format tokens has none of: remove 'stop', or take another format.",
      );
    if (samples > 1 && temperature === 0)
      report(
        'out-of-range',
        at('temperature'),
        `All ${samples} samples of a row would be the same at temperature 0: raise 'temperature', or remove 'samples'.`,
      );
    const most = Math.max(...k);
    if ((task === 'humaneval' || task === 'mbpp') && most > samples)
      report(
        'out-of-range',
        at('k'),
        `pass@${most} needs at least ${most} samples: raise 'samples' (${samples}), or lower 'k'.`,
      );
  }
}

function checkVerdict(file: File): void {
  const {verdict, seeds} = file.values;
  const methods = methodsOf(file.values);
  const report = (code: 'unknown-value' | 'out-of-range', key: string, message: string) => {
    const path = ['verdict', key];
    file.problems.at(path, code, message);
  };
  if (verdict?.baseline !== undefined && methods.length > 0 && !methods.some(({name}) => name === verdict.baseline))
    report(
      'unknown-value',
      'baseline',
      `The baseline ${verdict.baseline} is none of the sweep's methods: add it to 'methods', or take ${either(methods.map(({name}) => name))}.`,
    );
  if (verdict?.seeds === undefined) return;
  const most = Math.max(...methods.map(({own}) => seedsIn(own.seeds ?? seeds).seeds.length));
  if (verdict.seeds < most)
    report(
      'out-of-range',
      'seeds',
      `The file itself has ${most} seeds, more than the ${verdict.seeds} that the verdict may take: raise 'verdict.seeds' to ${most} at least, or remove it.`,
    );
}

function checkPacking(file: File): void {
  const format = formatOf(file);
  if (!file.values.data?.packing || format === undefined || format === 'text') return;
  const path = ['data', 'packing'];
  const message = `Format ${format} has rows of their own, which are not packed: remove 'packing', or take format text.`;
  file.problems.at(path, 'unknown-value', message);
}

function checkNumberOfTrials(file: File): void {
  const {values} = file;
  const trials = methodsOf(values).reduce((sum, {method, own}) => {
    const numbers = [
      ranksOf(method, own, values).length,
      (own.batch_size ?? values.batch_size).length,
      seedsIn(own.seeds ?? values.seeds).seeds.length,
      numberOfRates(own.learning_rate ?? values.learning_rate),
      ...axisSizes(values, own),
    ];
    return sum + product(numbers);
  }, 0);
  if (trials <= mostTrials) return;
  const path = file.problems.firstOf(['learning_rate'], ['methods']);
  const message = `The sweep has ${trials} trials (methods x ranks x batch sizes x learning rates x seeds), more than the ${mostTrials} that are possible: shorten the lists, or take fewer rates per decade.`;
  file.problems.at(path, 'too-many-trials', message);
}

/** Rates that are not readable or no sound grid count as one. */
function numberOfRates(rates: Rates): number {
  if (Array.isArray(rates)) return rates.length;
  const grid = gridOf(rates);
  return grid && isSound(grid) ? gridSize(grid) : 1;
}
