/** docs/sweep-file.md: every key of a sweep file, made of the table of fields. */

import {keyName} from '../../core/sweep/problems.ts';
import {describe, type Field, type Fields, type Type} from '../../core/sweep/table/field.ts';
import {fields, keyPaths} from '../../core/sweep/table/fields.ts';

const introduction = `# The sweep file

Every key of a \`*.sweep.yaml\` file: what it means, which values it takes, what stands in where it is left out. Paths are relative to the
sweep file. \`lora-sweep schema\` prints the same as a JSON schema; the editor completes and explains every key where it stands. Keys that only
one method has stand under it; what the methods are says [methods.md](methods.md), what \`check\` may find [problems.md](problems.md).

Top-level keys that begin with \`x-\` are yours: nothing of them is read, so that they can hold what anchors share, as \`x-rates: &rates {from: 1e-5,
to: 1e-2, per_decade: 4}\` and \`learning_rate: *rates\`.
`;

export function sweepFilePage(): string {
  return `${[introduction, ...keysOf(fields, [])].join('\n')}\n`;
}

/** One section a key, what is below it after it; keys that several mappings share are explained where they stand first. */
function* keysOf(keys: Fields, above: readonly string[], seen = new Set<Field['doc']>()): Generator<string> {
  for (const [name, field] of Object.entries(keys)) {
    const path = [...above, name];
    const isKnown = above.length > 1 && seen.has(field.doc);
    seen.add(field.doc);
    yield isKnown ? `- \`${path.join('.')}\`: as \`${name}\` above.\n` : section(path, field);
    // What a method may have of the file's own sections is explained there.
    const isSection = above[0] === 'methods' && above.length > 1 && field.type.kind === 'mapping';
    if (isSection || isKnown) yield* namesBelow(field.type, path);
    else for (const below of mappingsIn(field.type)) yield* keysOf(below, path, seen);
  }
}

/** Keys that are explained elsewhere, in one line. */
function* namesBelow(type: Type, path: string[]): Generator<string> {
  const names = mappingsIn(type).flatMap(keys => [...keyPaths(keys, path)].map(keyName));
  if (names.length > 0) yield `- ${names.map(name => `\`${name}\``).join(', ')}: as elsewhere.\n`;
}

function section(path: readonly string[], field: Field): string {
  const {type, doc, unit, example, study, interacts, alsoKnownAs} = field;
  const facts = [
    ['Takes', [`${valuesOf(type)}${unit === undefined ? '' : `, in ${unit}`}`, ...choicesOf(type)].join('\n')],
    ['Default', defaultOf(field)],
    ['Example', `\`${path.at(-1)}: ${example}\``],
    ['In the study', study],
    ['Together with others', interacts],
    ['Known elsewhere as', alsoKnownAs?.map(name => `\`${name}\``).join(', ')],
  ].filter(([, text]) => text !== undefined && text !== '');
  return [
    `${'#'.repeat(Math.min(path.length + 1, 4))} \`${path.join('.')}\``,
    '',
    doc,
    '',
    ...facts.map(([title, text]) => `- **${title}:** ${text}`),
    '',
  ].join('\n');
}

function defaultOf({required, default: value, defaultDoc}: Field): string {
  if (required) return 'none: the key is required';
  if (defaultDoc !== undefined) return defaultDoc;
  return value === undefined ? 'nothing' : `\`${JSON.stringify(value)}\``;
}

/** What may be written; a mapping's keys stand in their own sections. */
function valuesOf(type: Type): string {
  if (type.kind === 'mapping') return 'a mapping of the keys below';
  if (type.kind === 'either') return type.inWords ?? type.options.map(valuesOf).join('; or ');
  if (type.kind === 'list' && mappingsIn(type.of).length > 0) {
    const of = valuesOf(type.of);
    return type.orOne ? `${of}, or a list of such` : `a list, each ${of}`;
  }
  return describe(type);
}

/** The words that a key takes, each with its meaning. */
function choicesOf(type: Type): string[] {
  if (type.kind === 'either') return [...new Set(type.options.flatMap(choicesOf))];
  if (type.kind === 'list') return choicesOf(type.of);
  if (type.kind !== 'choice') return [];
  return Object.entries(type.values).map(([word, {doc}]) => `  - \`${word}\`: ${doc}`);
}

function mappingsIn(type: Type): Fields[] {
  if (type.kind === 'mapping') return [type.keys];
  if (type.kind === 'list') return mappingsIn(type.of);
  return type.kind === 'either' ? type.options.flatMap(mappingsIn) : [];
}
