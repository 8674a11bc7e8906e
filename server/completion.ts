/** Completion: keys, words, methods, and what lies on this machine: models, data files, columns, targets. */
import {type CompletionItem, CompletionItemKind, InsertTextFormat, MarkupKind} from 'vscode-languageserver/node';
import {knownPeak} from '../core/method/known-peak.ts';
import type {MethodName} from '../core/method/methods.ts';
import {methods} from '../core/method/methods.ts';
import {formatRate} from '../core/run/format.ts';
import type {Inspector} from '../core/sweep/inspection.ts';
import type {Position} from '../core/sweep/problem.ts';
import {writeRate} from '../core/sweep/rates.ts';
import {type Field, type Type, wordsOf} from '../core/sweep/table/field.ts';
import {typesAt} from '../core/sweep/table/fields.ts';
import {type Cursor, cursorAt} from '../core/sweep/text/cursor.ts';
import {find} from '../core/sweep/text/locate.ts';
import type {Tree} from '../core/sweep/text/tree.ts';
import type {SweepDocument} from './document.ts';
import {aboutField} from './hover.ts';
import {folderOf} from './paths.ts';

type Item = Pick<CompletionItem, 'label' | 'kind' | 'detail' | 'documentation' | 'sortText'> & {
  /** What is inserted; the label where absent. */
  text?: string;
  snippet?: true;
};

export async function completion(
  document: SweepDocument,
  position: Position,
  inspector: Inspector,
): Promise<CompletionItem[]> {
  const cursor = cursorAt(document.lines, position);
  if (!cursor) return [];
  const items =
    cursor.kind === 'key'
      ? keys(document, cursor, cursor.path.slice(0, -1))
      : [
          ...(await values(document, cursor, inspector)),
          ...(behindDash(document, cursor) ? keys(document, cursor, cursor.path) : []),
        ];
  // Right behind the colon of a key a value needs its space.
  const {start} = cursor.range;
  const isTouching = document.lines.slice({start: {...start, character: start.character - 1}, end: start}) === ':';
  const space = cursor.kind === 'value' && start.character > 0 && isTouching ? ' ' : '';
  return items.map(({text, snippet, label, ...item}) => ({
    label,
    ...item,
    textEdit: {range: cursor.range, newText: `${space}${text ?? label}`},
    ...(snippet ? {insertTextFormat: InsertTextFormat.Snippet} : {}),
  }));
}

/** An item of a list can be a mapping, which begins with a key. */
function behindDash({lines}: SweepDocument, {path, range, flow}: Cursor): boolean {
  const before = lines.slice({start: {line: range.start.line, character: 0}, end: range.start});
  const mapping = typesAt(path).some(({kind}) => kind === 'mapping');
  return mapping && !flow && /^\s*(-\s+)+$/.test(before);
}

/** The keys of the mapping at `above` that are not there yet. */
function keys(document: SweepDocument, {range, word, flow}: Cursor, above: (string | number)[]): Item[] {
  const {lines} = document;
  const rest = lines.slice({start: range.end, end: {line: range.end.line, character: Number.MAX_SAFE_INTEGER}});
  const colon = /^["']?\s*:/.test(rest);
  const types = typesAt(above);
  const mappings = types.flatMap(type => (type.kind === 'mapping' ? [type] : []));
  // A lone mapping may stand where a list of mappings is meant.
  const within = types.flatMap(type => (type.kind === 'list' && type.of.kind === 'mapping' ? [type.of] : []));
  const present = presentKeys(document, above, word);
  const listed = above.length === 0 ? [] : words(types).filter(({label}) => !present.has(label));
  const found = [...mappings, ...within].flatMap(({keys: fields}) =>
    Object.entries(fields)
      .filter(([name]) => !present.has(name))
      .map(([name, field], index) => ({
        ...keyItem(name, field, above, index),
        ...(colon ? {} : {text: keyText(name, field, flow)}),
      })),
  );
  // Where a lone value can stand on the next line, its words are offered too.
  return mappings.length > 0 ? found : [...found, ...listed];
}

function keyItem(name: string, field: Field, above: (string | number)[], index: number): Item {
  const path = [...above.filter(key => typeof key === 'string'), name];
  const method = path.length === 2 && path[0] === 'methods';
  return {
    label: name,
    kind: method ? CompletionItemKind.Method : CompletionItemKind.Property,
    ...(field.required ? {detail: 'required'} : method ? {detail: methods[name as MethodName].title} : {}),
    documentation: {kind: MarkupKind.Markdown, value: aboutField(path, field)},
    // Required keys first, then in the order of the table.
    sortText: `${field.required ? 0 : field.notYet ? 2 : 1}${String(index).padStart(3, '0')}`,
  };
}

/** A mapping goes on below its key, or in braces within braces. */
function keyText(name: string, {type}: Field, flow: boolean): string {
  if (type.kind !== 'mapping') return `${name}: `;
  return flow ? `${name}: {}` : `${name}:\n  `;
}

/** Keys that the mapping has already, by the last reading that knew it. */
function presentKeys({tree}: SweepDocument, above: (string | number)[], word: string): Set<string> {
  const node = find(tree, above)?.node;
  const names = node?.kind === 'mapping' ? node.entries.map(({key}) => key) : [];
  return new Set(names.filter(name => name !== word));
}

async function values(document: SweepDocument, cursor: Cursor, inspector: Inspector): Promise<Item[]> {
  const types = typesAt(cursor.path);
  const items = [...words(types), ...suggestions(document, cursor)];
  const found = await surroundings(document, cursor, types, inspector);
  const present = listed(document, cursor);
  return [...items, ...found].filter(({label}) => !present.has(label));
}

/** Items that the list around the cursor has already. */
function listed({tree}: SweepDocument, {path, word}: Cursor): Set<string> {
  if (typeof path.at(-1) !== 'number') return new Set();
  const node = find(tree, path.slice(0, -1))?.node;
  const items = node?.kind === 'list' ? node.items : [];
  return new Set(items.flatMap(item => (item.kind === 'scalar' && item.text !== word ? [item.text] : [])));
}

/** The words that the types know. */
function words(types: readonly Type[]): Item[] {
  return types.flatMap((type): Item[] => {
    if (type.kind === 'list') return words([type.of]);
    if (type.kind === 'flag') return ['true', 'false'].map(label => ({label, kind: CompletionItemKind.Keyword}));
    if (type.kind === 'number') return (type.words ?? []).map(label => ({label, kind: CompletionItemKind.Keyword}));
    if (type.kind === 'moment')
      return ['start', '50%', 'end'].map(label => ({label, kind: CompletionItemKind.EnumMember}));
    if (type.kind === 'percentage') return [{label: '6.25%', kind: CompletionItemKind.Value}];
    if (type.kind === 'alpha')
      return ['rank', '2*rank', 'rank*sqrt(rank)'].map(label => ({label, kind: CompletionItemKind.Value}));
    if (type.kind !== 'choice') return [];
    // In the order of the table: the usual ones stand first.
    return wordsOf(type).map((label, index) => ({
      label,
      kind: Object.hasOwn(methods, label) ? CompletionItemKind.Method : CompletionItemKind.EnumMember,
      documentation: type.values[label]!.doc,
      sortText: `0${String(index).padStart(3, '0')}`,
    }));
  });
}

/** Whole values that are often meant. */
function suggestions({known}: SweepDocument, {path, flow}: Cursor): Item[] {
  const key = path.at(-1);
  const value = (label: string, detail: string): Item => ({label, detail, kind: CompletionItemKind.Value});
  if (key === 'rank') return [value('8', 'small'), value('[8, 128]', 'small and large')];
  if (key === 'seeds') return [value('[1, 2, 3]', 'three seeds show a spread')];
  if (key === 'batch_size') return [value('[16, 64]', 'the best rate differs between them')];
  if (key !== 'learning_rate' || flow) return [];
  const all = Object.keys(methods) as MethodName[];
  const own = path[0] === 'methods' ? [path[1] as MethodName] : (known?.methods.map(({method}) => method) ?? all);
  const peaks = own.filter(name => all.includes(name)).flatMap(name => knownPeak(name, known?.model ?? '', [16]) ?? []);
  if (peaks.length === 0) return [];
  const from = Math.min(...peaks.map(peak => peak.from)) / Math.sqrt(10);
  const to = Math.max(...peaks.map(peak => peak.to)) * Math.sqrt(10);
  const grid = `{from: ${writeRate(Number(from.toPrecision(2)))}, to: ${writeRate(Number(to.toPrecision(2)))}, per_decade: 4}`;
  return [value(grid, `holds the published peaks, ${formatRate(from)} to ${formatRate(to)}`)];
}

/** What this machine has for a value: paths, models, columns, projections of the model. */
async function surroundings(
  {file, known, tree}: SweepDocument,
  {path, word}: Cursor,
  types: readonly Type[],
  inspector: Inspector,
): Promise<Item[]> {
  if (file === undefined) return [];
  const base = folderOf(file);
  const text = types.flatMap(type => (type.kind === 'list' ? [type.of] : [type])).find(type => type.kind === 'text');
  if (text?.kind !== 'text') return [];
  if (text.what === 'module') {
    const name = known?.model ?? scalarAt(tree, ['model']);
    const model = name === undefined ? null : await inspector.model(name, base);
    return (model?.modules ?? []).map(({name: label, inputs, outputs}) => ({
      label,
      kind: CompletionItemKind.Field,
      detail: `${outputs} × ${inputs}`,
    }));
  }
  if (text.what === 'column') {
    const rows = rowsBeside(tree, path);
    const columns = rows === undefined ? [] : await inspector.columns(rows, base);
    return columns.map(label => ({label, kind: CompletionItemKind.Field, detail: `column of ${rows}`}));
  }
  if (text.what !== 'file' && text.what !== 'folder') return [];
  const kind = path[0] === 'model' ? 'model' : text.what === 'file' ? 'data' : 'folder';
  const found = await inspector.candidates(kind, word, base);
  const kinds = {file: CompletionItemKind.File, folder: CompletionItemKind.Folder, model: CompletionItemKind.Module};
  return found.map(({text: label, kind: of, detail}) => ({label, detail, kind: kinds[of]}));
}

/** The file whose columns are named at a path: `columns` stands beside it. */
function rowsBeside(tree: Tree, path: Cursor['path']): string | undefined {
  const above = path.slice(0, path.lastIndexOf('columns'));
  const beside = path.includes('evaluate')
    ? [[...above, 'data']]
    : [
        [...above, 'train'],
        [...above, 'train', 0],
      ];
  return beside.map(place => scalarAt(tree, place)).find(file => file !== undefined);
}

function scalarAt(tree: Tree, path: (string | number)[]): string | undefined {
  const node = find(tree, path)?.node;
  return node?.kind === 'scalar' && node.text !== '' ? node.text : undefined;
}
