import type {ValuesOf} from './field.ts';
import type {fields, methods as methodFields} from './fields.ts';
import {formats, placeholders} from './formats.ts';
import {find} from './locate.ts';
import {either, keyName, type Problems, quote, replacement} from './problems.ts';
import {gridSize} from './rates.ts';
import {nearest} from './suggest.ts';
import type {MethodName, Range} from './sweep.ts';
import type {MappingNode} from './tree.ts';
import {newLine} from './values.ts';

/** A file as the table reads it, before its keys are brought together. */
export type Values = ValuesOf<typeof fields>;

/** The settings that a method can have of its own. */
export type OwnValues = Partial<ValuesOf<typeof methodFields.pissa.type.keys>>;

/** More trials than this are a slip, not a plan. */
const mostTrials = 100_000;

/** Looks at what the table cannot say: how the keys of a file fit together. `root` is the file's top level. */
export function checkRules(values: Values, root: MappingNode, problems: Problems): void {
  new Rules(values, root, problems).check();
}

/** The methods in the order of the file, each with the settings of its own. */
export function methodsOf({methods}: Values): {name: MethodName; own: OwnValues}[] {
  if (methods === undefined) return [];
  if (Array.isArray(methods)) return methods.map(name => ({name, own: {}}));
  return Object.entries(methods).flatMap(([name, own]) => (own ? [{name: name as keyof typeof methods, own}] : []));
}

class Rules {
  private readonly values: Values;
  private readonly root: MappingNode;
  private readonly problems: Problems;

  constructor(values: Values, root: MappingNode, problems: Problems) {
    this.values = values;
    this.root = root;
    this.problems = problems;
  }

  check(): void {
    this.grid(['learning_rate'], this.values.learning_rate);
    for (const {name, own} of methodsOf(this.values)) this.grid(['methods', name, 'learning_rate'], own.learning_rate);
    this.methods();
    this.learningRates();
    this.columns();
    this.template();
    this.numberOfTrials();
  }

  private grid(path: string[], rates: Values['learning_rate']): void {
    if (rates === undefined || Array.isArray(rates) || rates.from === undefined || rates.to === undefined) return;
    if (rates.from <= rates.to) return;
    const from = find(this, [...path, 'from'])?.node;
    const to = find(this, [...path, 'to'])?.node;
    const place = {path, range: this.rangeOf(path)};
    const message = `The grid of '${keyName(path)}' is upside down: 'from' (${rates.from}) must not be above 'to' (${rates.to}); swap them.`;
    const fixes =
      from?.kind === 'scalar' && to?.kind === 'scalar'
        ? [{title: 'Swap from and to', edits: [{range: from.range, text: to.text}, {range: to.range, text: from.text}]}]
        : [];
    this.problems.report('grid-upside-down', place, message, fixes);
  }

  private methods(): void {
    const written = find(this, ['methods'])?.node;
    if (written?.kind !== 'mapping' || written.entries.length > 0) return;
    const message = "'methods' is empty: write at least one method into it, like {lora: {}, pissa: {}}.";
    this.problems.report('empty-list', {path: ['methods'], range: written.range}, message);
  }

  private learningRates(): void {
    if (find(this, ['learning_rate'])) return;
    const path = ['learning_rate'];
    const methods = methodsOf(this.values).map(({name}) => name);
    const without = methods.filter(name => !find(this, ['methods', name, 'learning_rate']));
    if (methods.length > 0 && without.length === 0) return;
    const line = 'learning_rate: {from: 2e-5, to: 2e-3, per_decade: 4}';
    const who = without.length < methods.length ? ` and ${without.join(', ')} ${without.length > 1 ? 'have' : 'has'} none` : '';
    const message = `'learning_rate' is missing${who}: add a line like '${line}'.`;
    const start = {line: 0, character: 0};
    this.problems.report('missing-key', {path, range: {start, end: start}}, message, newLine(this.root, line));
  }

  private columns(): void {
    const written = find(this, ['data', 'columns'])?.node;
    const format = this.values.data?.format;
    if (written?.kind !== 'mapping' || format === undefined || this.formatIsUnreadable()) return;
    const {columns, optional} = formats[format];
    const names = [...Object.keys(columns), ...optional];
    for (const {key, keyRange, value} of written.entries) {
      if (names.includes(key) || this.values.data?.columns[key as keyof Values['data'] & string] === undefined) continue;
      const meant = nearest(key, new Map(names.map(name => [name, []])));
      const has = names.length > 0 ? `has the columns ${either(names)}` : "always has the columns input_ids and labels";
      const message = `Format ${format} has no column ${quote(key)}: it ${has}.${meant ? ` Did you mean '${meant}'?` : ''}`;
      const fixes = meant ? [replacement(keyRange, meant)] : [];
      this.problems.report('unknown-key', {path: ['data', 'columns', key], range: keyRange}, message, fixes);
      void value;
    }
  }
}
