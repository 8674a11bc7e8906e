/** Values, names and ids of a file that say the same thing twice, so that trials would be trained twice or be taken for each other. */
import {grouped} from '../../grouped.ts';
import {methods as descriptions} from '../../method/methods.ts';
import {alphaOf} from '../alpha.ts';
import {type Problems, quote} from '../problems.ts';
import {ranksOf} from '../ranks.ts';
import {type Alpha, nameOf, type Sweep, type Trial} from '../sweep.ts';
import {methodsOf, type Values, type VariantValues} from '../table/file-values.ts';
import {find} from '../text/locate.ts';
import type {MappingNode} from '../text/nodes.ts';
import {expandTrials} from '../trials.ts';
import {settingInWords} from './axes.ts';
import {optimizersOf, targetsOf, textOf} from './values.ts';

interface File {
  values: Values;
  root: MappingNode;
  problems: Problems;
}

type Path = (string | number)[];

export function checkAlike(file: File): void {
  checkLists(file, [], file.values);
  for (const {name, own} of methodsOf(file.values)) checkLists(file, ['methods', name], own);
  checkNames(file);
  checkAlphas(file);
}

/** One name of targets, in the file and in its methods, stands for one choice: a trial carries the name alone. */
function checkNames({values, problems}: File): void {
  const known = new Map<string, string>();
  const places = methodsOf(values).map(({name, own}) => ({path: ['methods', name, 'targets'], targets: own.targets}));
  for (const {path, targets} of [{path: ['targets'], targets: values.targets}, ...places])
    for (const {text, value} of targets === undefined ? [] : targetsOf(targets)) {
      const modules = inOrder(value);
      const before = known.get(text);
      if (before !== undefined && before !== modules)
        problems.at(
          path,
          'duplicate-value',
          `${quote(text)} stands for two choices of targets, ${before} and ${modules}: give one of them another name.`,
        );
      else known.set(text, modules);
    }
}

/** Values that are written differently and mean the same. */
function checkLists(file: File, section: Path, {model, data, targets, alpha, training}: VariantValues): void {
  const named = targets !== undefined && typeof targets === 'object' && !Array.isArray(targets);
  if (named && targetsOf(targets).length === 0)
    file.problems.at(
      [...section, 'targets'],
      'empty-list',
      "'targets' has no choice in it: write one, like {attention: [q_proj, v_proj]}, or remove the key.",
    );
  for (const {text} of named ? targetsOf(targets) : [])
    if (text.includes(','))
      file.problems.at(
        [...section, 'targets', text],
        'unknown-value',
        `${quote(text)} cannot be the name of a choice of targets, as --only takes a comma for the end of a value: use letters, digits, '-' and '_'.`,
      );
  const at = (...path: Path): Path => [...section, ...path];
  const choices = targets === undefined ? [] : targetsOf(targets);
  checkList(
    file,
    choices.map(({text, value}, k) => ({text: inOrder(value), written: text, path: at('targets', named ? text : k)})),
  );
  checkList(
    file,
    (model ?? []).map((path, k) => ({text: plainPath(path), written: path, path: at('model', k)})),
  );
  checkList(
    file,
    (alpha ?? []).map((one, k) => ({text: textOf(one), written: one.text, path: at('alpha', k)})),
  );
  const optimizers = (training?.optimizer ?? []).flatMap(optimizersOf).map(textOf);
  checkList(
    file,
    optimizers.map(text => ({text, written: text, path: at('training', 'optimizer')})),
  );
  const templates = (data?.template ?? []).map(textOf);
  checkList(
    file,
    templates.map((text, k) => ({text, written: text, path: at('data', 'template', k)})),
  );
}

/** A path without what changes nothing. */
const plainPath = (path: string): string => path.replace(/^(\.[/\\]+)+(?=.)/, '').replace(/(?<=.)[/\\]+$/, '');

/** The order of modules changes nothing. */
const inOrder = (value: unknown): string => (Array.isArray(value) ? textOf([...value].sort()) : textOf(value));

/** `text` is the same for values that are; `written`: as the file has them, at `path`. */
function checkList({root, problems}: File, values: readonly {text: string; written: string; path: Path}[]): void {
  const known = new Map<string, string>();
  const second = values.find(({text, written}) => known.has(text) || !known.set(text, written));
  if (!second) return;
  const {path, written} = second;
  const first = known.get(second.text)!;
  const range = find({root}, path)?.node.range;
  // Values that are written alike were found where lists are read.
  if (!range || problems.isAt(path)) return;
  const message =
    first === written
      ? `${quote(written)} stands in this list already: remove one of the two.`
      : `${quote(written)} is the same as ${quote(first)}, so that all of its trials would be trained twice: remove one of the two.`;
  problems.report('duplicate-value', {path, range}, message);
}

/** `rank` and `8` are one alpha at rank 8. */
function checkAlphas({values, problems}: File): void {
  const said = new Set<string>();
  for (const {name, method, own} of methodsOf(values)) {
    const alphas = own.alpha ?? values.alpha;
    const {weights, withoutAlpha} = descriptions[method];
    if (weights || withoutAlpha) continue;
    const path = own.alpha ? ['methods', name, 'alpha'] : ['alpha'];
    const ranks = ranksOf(method, own, values);
    const known = new Map<string, Alpha>();
    const pairs = new Map<string, {words: string; ranks: number[]}>();
    for (const rank of ranks)
      for (const one of alphas) {
        const number = `${rank} ${alphaOf(one, rank).toPrecision(9)}`;
        const other = known.get(number);
        if (other === undefined) known.set(number, one);
        else if (textOf(other) !== textOf(one)) {
          const words = `The alphas ${quote(other.text)} and ${quote(one.text)} are the same`;
          pairs.set(words, {words, ranks: [...(pairs.get(words)?.ranks ?? []), rank]});
        }
      }
    for (const {words, ranks: same} of pairs.values()) {
      const message = `${words} at rank ${same.join(', ')}: what is trained there is trained twice.`;
      if (said.has(message)) continue;
      said.add(message);
      const isAlways = same.length === ranks.length;
      const all = isAlways ? `${message} Remove one of the two.` : message;
      problems.at(path, 'duplicate-value', all, [], isAlways ? 'error' : 'warning');
    }
  }
}

/** Trials are known, and their folders found, by their ids, also where a file system takes `A` for `a`. */
export function checkIds({methods}: Pick<Sweep, 'methods'>, problems: Problems): void {
  if (!methods.some(({name, axes}) => name !== undefined || axes)) return;
  // What stands behind the axes in an id tells itself apart.
  const one = methods.map(settings => ({...settings, learningRates: [1], seeds: [1]}));
  for (const [, [first, second]] of grouped(expandTrials({methods: one}), ({id}) => id.toLowerCase())) {
    if (!first || !second) continue;
    const [a, b] = [wordsOf(first, second), wordsOf(second, first)];
    const what =
      first.id === second.id
        ? 'have the same ids'
        : "have ids that differ in 'a' and 'A' only, which are one folder on some systems";
    problems.at(
      problems.firstOf(['methods', nameOf(second)], ['methods']),
      'duplicate-value',
      `Trials of ${a} and of ${b} would ${what}: give one of them another name.`,
    );
    return;
  }
}

/** What a trial has that the other has not. */
function wordsOf(trial: Trial, other: Trial): string {
  const all = ({model, settings}: Trial): Record<string, string> => ({
    ...(model !== undefined && {model}),
    ...settings,
  });
  const others = all(other);
  const own = Object.entries(all(trial)).filter(([key, text]) => others[key] !== text);
  const words = own.map(([key, text]) => settingInWords(key, text));
  return [...(nameOf(trial) === nameOf(other) ? [] : [nameOf(trial)]), ...words].join(', ');
}
