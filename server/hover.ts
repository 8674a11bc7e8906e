/** Hover: what a key means, what a method is, where a learning rate stands. */
import {type Hover, MarkupKind} from 'vscode-languageserver/node';
import type {MethodName} from '../core/method/methods.ts';
import {methods} from '../core/method/methods.ts';
import {expectationInWords} from '../core/search/expectation.ts';
import {rolesInWords, rolesOf} from '../core/sweep/axes/roles.ts';
import type {Position} from '../core/sweep/problem.ts';
import {keyName} from '../core/sweep/problems.ts';
import {describe, type Field, type Written} from '../core/sweep/table/field.ts';
import {fieldAt, typesAt} from '../core/sweep/table/fields.ts';
import {type Cursor, cursorAt} from '../core/sweep/text/cursor.ts';
import type {SweepDocument} from './document.ts';
import {aboutMethod} from './method-hover.ts';
import {aboutRate} from './rate-hover.ts';
import {searchExpected} from './search-expected.ts';

export function hover(document: SweepDocument, position: Position): Hover | null {
  const cursor = cursorAt(document.lines, position);
  if (!cursor || cursor.word === '') return null;
  const text =
    methodAbout(document, cursor) ??
    rateAbout(document, cursor) ??
    searchAbout(document, cursor) ??
    rolesAbout(document, cursor) ??
    choiceAbout(cursor) ??
    keyAbout(cursor);
  return text === undefined ? null : {contents: {kind: MarkupKind.Markdown, value: text}, range: cursor.range};
}

/** The method that a word names, as a key of `methods` or in its list. */
export function methodAt({kind, path, word}: Cursor): MethodName | undefined {
  const [first, second] = path;
  const listed = kind === 'value' && first === 'methods' && (path.length === 1 || typeof second === 'number');
  const keyed = kind === 'key' && first === 'methods' && path.length === 2;
  return (listed || keyed) && Object.hasOwn(methods, word) ? (word as MethodName) : undefined;
}

function methodAbout(document: SweepDocument, cursor: Cursor): string | undefined {
  const method = methodAt(cursor);
  return method && aboutMethod(method, document.known, document.around);
}

/** A number under `learning_rate`, of all methods or of one. */
function rateAbout(document: SweepDocument, {kind, path, word}: Cursor): string | undefined {
  const rate = Number(word.replaceAll('_', ''));
  if (kind !== 'value' || !path.includes('learning_rate') || path.at(-1) === 'per_decade' || !(rate > 0))
    return undefined;
  const own = path[0] === 'methods' ? (path[1] as MethodName) : undefined;
  return aboutRate(rate, own, document.known, document.around);
}

/** What a search is, and what this one will cost where that is known. */
function searchAbout(document: SweepDocument, cursor: Cursor): string | undefined {
  if (cursor.path[0] !== 'search') return undefined;
  const expectation = searchExpected(document);
  const about = choiceAbout(cursor) ?? keyAbout(cursor);
  return expectation && about ? [about, expectationInWords(expectation).join(' ')].join('\n\n') : undefined;
}

/** What is compared with what, where the file says so: at its methods, at what is tuned and at every key with several values. */
function rolesAbout({reading, known = reading.sweep}: SweepDocument, cursor: Cursor): string | undefined {
  if (!known || cursor.kind !== 'key') return undefined;
  const key = cursor.path.join('.');
  const {conditions, tuned} = rolesOf(known);
  const isAxis = [...conditions, ...tuned].some(axis => axis.key === key);
  if (key !== 'methods' && key !== 'tune' && !isAxis) return undefined;
  const about = keyAbout(cursor);
  return about && [about, `**This sweep:** ${rolesInWords(known)}.`].join('\n\n');
}

/** One of the words that a key takes. */
function choiceAbout({kind, path, word}: Cursor): string | undefined {
  if (kind !== 'value') return undefined;
  for (const type of typesAt(path)) {
    const types = type.kind === 'list' ? [type.of] : [type];
    for (const each of types)
      if (each.kind === 'choice' && Object.hasOwn(each.values, word)) {
        return `**${word}** (${keyName(path)})\n\n${each.values[word]!.doc}`;
      }
  }
  return undefined;
}

function keyAbout({path}: Cursor): string | undefined {
  const keys = path.filter(key => typeof key === 'string');
  const field = fieldAt(path);
  return field && aboutField(keys, field);
}

/** The table does not change, and a completion shows many keys at once. */
const written = new Map<string, string>();

/** A key's documentation in Markdown. */
export function aboutField(keys: readonly string[], field: Field): string {
  const name = keyName(keys);
  const text = written.get(name) ?? writeField(keys, field);
  written.set(name, text);
  return text;
}

function writeField(keys: readonly string[], field: Field): string {
  const {type, doc, unit, example, required, study, interacts, notYet} = field;
  const fallback = defaultOf(field);
  return [
    `**${keyName(keys)}**${required ? ' (required)' : ''}`,
    `${doc}${notYet ? ' Planned, does not work yet.' : ''}`,
    [
      `- Takes: ${describe(type)}${unit === undefined ? '' : `, in ${unit}`}`,
      ...(fallback === undefined ? [] : [`- Default: ${fallback}`]),
      ...(study === undefined ? [] : [`- The study: ${study}`]),
      ...(interacts === undefined ? [] : [`- Together with others: ${interacts}`]),
      `- Example: \`${keys.at(-1)}: ${example}\``,
    ].join('\n'),
  ].join('\n\n');
}

function defaultOf({default: value, defaultDoc}: Field): string | undefined {
  if (defaultDoc !== undefined) return defaultDoc;
  const empty = typeof value === 'object' && Object.keys(value).length === 0;
  return value === undefined || empty ? undefined : `\`${writtenText(value)}\``;
}

function writtenText(value: Written): string {
  if (Array.isArray(value)) return `[${value.map(writtenText).join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
