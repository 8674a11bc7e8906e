/** *Convert This Config…*: a configuration of another tool as a sweep file that trains the same, and what it could not take along. */
import {parse} from 'yaml';
import {methods} from '../../method/methods.ts';
import {fileEndings} from '../table/field.ts';
import type {Free} from '../table/free.ts';
import {type Meaning, meaningOf} from './foreign.ts';
import {inline, numberText} from './inline.ts';
import {defaultsOf, isMapping, type Setting, settingsOf, type Tool, toolOf} from './tools.ts';

export interface Converted {
  tool: Tool;
  /** The sweep file. */
  text: string;
  /** What has no counterpart, each as `key: why`. */
  notes: string[];
}

/** What a configuration comes to, key by key. */
class Draft {
  /** Values by their path in the sweep file. */
  readonly #values = new Map<string, Free>();
  readonly #methods = new Map<string, Record<string, Free>>();
  readonly notes: string[] = [];
  #device: number | undefined;
  #passes = 1;

  has(path: readonly string[]): boolean {
    return this.#values.has(path.join('.'));
  }

  take({key, value, values, range}: Setting): void {
    if (range) {
      this.#range(key, range);
      return;
    }
    if (!values) {
      this.#mean(key, meaningOf(key, value));
      return;
    }
    const meanings = values.map(one => meaningOf(key, one));
    const settings = meanings.flatMap(one => (typeof one === 'object' && 'path' in one ? [one] : []));
    // A rate, a rank or the like, of which all values are settings of one key.
    if (settings.length === values.length)
      this.#mean(key, {path: settings[0]!.path, value: settings.flatMap(one => one.value)});
    else if (meanings.some(one => typeof one === 'object' && 'method' in one))
      // A switch that is off, or a start that is LoRA's own, is LoRA.
      for (const one of meanings)
        this.#method(typeof one === 'object' && 'method' in one ? one : {method: 'lora'}, true);
    else for (const [k, one] of meanings.entries()) this.#mean(`${key} ${JSON.stringify(values[k])}`, one);
  }

  #range(key: string, {min, max, isLog}: NonNullable<Setting['range']>): void {
    const meaning = meaningOf(key, min);
    const isRate = typeof meaning === 'object' && 'path' in meaning && meaning.path.join() === 'learning_rate';
    if (!isRate) {
      this.notes.push(
        `${key}: values drawn from ${min} to ${max} are not here; write those that are to be tried as a list`,
      );
      return;
    }
    const [from, to] = [min, max].map(rate => Number(rate.toPrecision(6)));
    this.#values.set('learning_rate', {from: from!, to: to!, per_decade: 4});
    this.notes.push(
      `${key}: drawn ${isLog ? 'by its logarithm ' : ''}from ${numberText(from!)} to ${numberText(to!)} there; here a grid of four rates a decade`,
    );
  }

  #mean(key: string, meaning: Meaning | undefined): void {
    if (meaning === undefined) this.notes.push(`${key}: not known here`);
    else if (meaning === 'nothing') return;
    else if ('note' in meaning) this.notes.push(`${key}: ${meaning.note}`);
    else if ('method' in meaning) this.#method(meaning);
    else if ('rows' in meaning) this.#rows(key, meaning);
    else this.#values.set(meaning.path.join('.'), meaning.value);
  }

  /** @param isOne of several that are compared */
  #method({method, settings = {}}: Extract<Meaning, {method: string}>, isOne = false): void {
    // A start or a form of LoRA says more than that it is one.
    if (method !== 'lora' && !isOne) this.#methods.delete('lora');
    else if (!isOne && this.#methods.size > 0 && !this.#methods.has('lora')) return;
    this.#methods.set(method, {...this.#methods.get(method), ...settings});
  }

  #rows(key: string, {rows, value}: Extract<Meaning, {rows: string}>): void {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1)
      this.notes.push(`${key}: ${JSON.stringify(value)} is no number of rows`);
    else if (rows === 'device') this.#device = number;
    else this.#passes = number;
  }

  /** The sweep as a value, its keys in the order in which they are usually written. */
  sweep(): Record<string, Free> {
    // How many rows are computed at once does not change a result, and is found by itself.
    if (this.#device !== undefined) this.#values.set('batch_size', this.#device * this.#passes);
    else if (this.#passes > 1 && typeof this.#values.get('batch_size') === 'number')
      this.#values.set('batch_size', Number(this.#values.get('batch_size')) * this.#passes);
    this.#betas();
    const found = new Map<string, Free>([...this.#values, ['methods', this.#listed()]]);
    const sweep: Record<string, Free> = {};
    for (const path of order.filter(one => found.has(one))) put(sweep, path.split('.'), found.get(path)!);
    return sweep;
  }

  /** transformers has two keys for what is one pair. */
  #betas(): void {
    const [first, second] = ['beta1', 'beta2'].map(key => this.#values.get(`training.optimizer.${key}`));
    if (first === undefined && second === undefined) return;
    this.#values.set('training.optimizer.betas', [first ?? 0.9, second ?? 0.999]);
  }

  #listed(): Free {
    if (this.#methods.size === 0) return ['lora'];
    const plain = [...this.#methods.values()].every(settings => Object.keys(settings).length === 0);
    return plain ? [...this.#methods.keys()] : Object.fromEntries(this.#methods);
  }

  get methods(): readonly string[] {
    return [...this.#methods.keys()];
  }

  drop(path: string): void {
    this.#values.delete(path);
  }

  get(path: string): Free | undefined {
    return this.#values.get(path);
  }

  set(path: string, value: Free): void {
    this.#values.set(path, value);
  }
}

const order = [
  ...['model', 'data.train', 'data.max_length', 'data.packing', 'data.rows', 'methods', 'targets', 'rank', 'alpha'],
  ...['batch_size', 'learning_rate', 'seeds', 'training.epochs', 'training.steps'],
  ...['training.optimizer.name', 'training.optimizer.betas', 'training.optimizer.eps', 'training.weight_decay'],
  ...['training.schedule', 'training.warmup_ratio', 'training.warmup_steps', 'training.max_grad_norm'],
  ...['training.dropout', 'training.precision', 'training.checkpoint'],
];

function put(into: Record<string, Free>, [key = '', ...rest]: readonly string[], value: Free): void {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const inner = into[key];
  const next = isMapping(inner) ? inner : {};
  into[key] = next;
  put(next, rest, value);
}

/** Larger texts are no configuration of a training. */
const mostCharacters = 1 << 20;

/** Null where the text is no configuration of a tool that is known. Never throws. */
export function convertConfig(text: string, fileName: string): Converted | null {
  const config = text.length > mostCharacters ? null : mappingIn(text);
  const tool = config && toolOf(config);
  if (!config || !tool) return null;
  const draft = new Draft();
  const given = settingsOf(config, tool);
  for (const setting of given) draft.take(setting);
  if (tool === 'torchtune') torchtune(given, draft);
  addDefaults(draft, tool, given);
  finish(draft, tool);
  const {notes} = draft;
  const head = [
    `# Converted from a configuration of ${tool}, ${fileName}.`,
    ...(notes.length > 0 ? ['# Not taken along:', ...notes.map(note => `#   ${oneLine(note)}`)] : []),
  ];
  return {tool, notes, text: `${head.join('\n')}\n${bodyOf(draft.sweep())}`};
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 300);

function mappingIn(text: string): {[key: string]: Free} | null {
  try {
    // JSON is YAML, too; what an alias repeats is bounded by the package.
    const value: Free = parse(text, {schema: 'core', maxAliasCount: 20});
    return isMapping(value) ? value : null;
  } catch {
    return null;
  }
}

/** The recipes of torchtune name a function that builds the model; adapters on the feed-forward part are a switch. */
function torchtune(settings: readonly Setting[], draft: Draft): void {
  const given = (key: string): Free | undefined => settings.find(one => one.key === key)?.value;
  const builder = String(given('model._component_') ?? '')
    .split('.')
    .at(-1)!;
  if (!draft.has(['model']) && builder !== '') draft.set('model', builder.replace(/^q?lora_/, ''));
  if (!/^q?lora_/.test(builder) && builder !== '') draft.take({key: 'peft_type', value: 'full'});
  const targets = draft.get('targets');
  if (given('apply_lora_to_mlp') === true && Array.isArray(targets))
    draft.set('targets', [...targets, 'gate_proj', 'up_proj', 'down_proj']);
}

/** Keys that a configuration leaves out have the tool's own defaults, not those of a sweep. */
function addDefaults(draft: Draft, tool: Tool, given: readonly Setting[]): void {
  const isRows = (meaning: Meaning | undefined): boolean => typeof meaning === 'object' && 'rows' in meaning;
  const hasRows = given.some(({key, value}) => {
    const meaning = meaningOf(key, value);
    return isRows(meaning) && typeof meaning === 'object' && 'rows' in meaning && meaning.rows === 'device';
  });
  for (const setting of defaultsOf(tool)) {
    const meaning = meaningOf(setting.key, setting.value);
    if (
      isRows(meaning)
        ? hasRows || draft.has(['batch_size'])
        : typeof meaning === 'object' && 'path' in meaning && draft.has(meaning.path)
    )
      continue;
    draft.take(setting);
  }
}

/** What a sweep file must have, and where the defaults of both differ. */
function finish(draft: Draft, tool: Tool): void {
  const rank = draft.get('rank');
  if (tool === 'LLaMA-Factory' && !draft.has(['alpha']) && typeof rank === 'number') draft.set('alpha', 2 * rank);
  if (
    tool !== 'Weights & Biases' &&
    !draft.has(['training', 'warmup_steps']) &&
    !draft.has(['training', 'warmup_ratio'])
  )
    draft.set('training.warmup_ratio', 0);
  // Epochs are not used where steps are given.
  if (draft.has(['training', 'steps'])) draft.drop('training.epochs');
  if (draft.has(['training', 'warmup_steps'])) draft.drop('training.warmup_ratio');
  const [method] = draft.methods;
  if (method === 'full') for (const key of ['rank', 'alpha', 'targets', 'training.dropout']) draft.drop(key);
  if (method === 'vera') draft.drop('alpha');
  const saysHow =
    method !== undefined ||
    ['rank', 'alpha', 'targets', 'training.dropout'].some(path => draft.get(path) !== undefined);
  if (!saysHow) draft.notes.push('methods: the configuration does not say how the model is adapted; this is LoRA');
  const isAdapter = method === undefined || methods[method as keyof typeof methods] !== undefined;
  if (isAdapter && method !== 'full' && !draft.has(['targets']) && (tool === 'PEFT' || tool === 'Hugging Face'))
    draft.set('targets', ['q_proj', 'v_proj']);
  if (!draft.has(['model'])) {
    draft.set('model', 'path/to/the/base/model');
    draft.notes.push('model: the configuration names none');
  }
  rowsOf(draft);
  if (!draft.has(['learning_rate'])) {
    draft.set('learning_rate', {from: 2e-5, to: 2e-3, per_decade: 4});
    draft.notes.push('learning_rate: the configuration names none; this grid is wide enough for most methods');
  }
}

/** Rows are read from files: the name of a data set becomes that of a file that holds it. */
function rowsOf(draft: Draft): void {
  const given = draft.get('data.train');
  const name = typeof given === 'string' ? given : Array.isArray(given) ? String(given[0]) : '';
  if (fileEndings.some(ending => name.endsWith(ending))) return;
  const file = `${
    name
      .split(/[/\\]/)
      .at(-1)!
      .split(',')[0]!
      .replace(/[^\w.-]+/g, '-') || 'train'
  }.jsonl`;
  draft.set('data.train', file);
  draft.notes.push(
    `data: ${name === '' ? 'the configuration names no rows; put yours' : `${name} is a data set; put its rows`} into ${file}, and name their columns`,
  );
}

/** One top-level key a line, lists and small mappings in braces. */
function bodyOf(sweep: Record<string, Free>): string {
  const lines = Object.entries(sweep).map(([key, value]) => {
    const inner = key === 'training' || key === 'data' ? value : undefined;
    if (isMapping(inner))
      return `${key}:\n${Object.entries(inner)
        .map(([name, one]) => `  ${name}: ${inline(one)}\n`)
        .join('')}`;
    return `${key}: ${inline(value)}${key === 'learning_rate' && typeof value === 'number' ? oneRate : ''}\n`;
  });
  return lines.join('');
}

const oneRate = '   # one rate mostly compares rates: {from: 1e-5, to: 1e-3, per_decade: 4} compares methods';
