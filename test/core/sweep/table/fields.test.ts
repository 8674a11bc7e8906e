import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {methods} from '../../../../core/method/methods.ts';
import {problemCodes} from '../../../../core/sweep/problem.ts';
import {Problems} from '../../../../core/sweep/problems.ts';
import {
  describe as describeType,
  type Field,
  type Fields,
  namesOf,
  type Type,
} from '../../../../core/sweep/table/field.ts';
import {fieldAt, fields, keyPaths} from '../../../../core/sweep/table/fields.ts';
import {nearest} from '../../../../core/sweep/table/suggest.ts';
import {Reader} from '../../../../core/sweep/table/values.ts';
import {readTree} from '../../../../core/sweep/text/tree.ts';

function* fieldsOf(keys: Fields): Generator<[name: string, field: Field]> {
  for (const [name, field] of Object.entries(keys)) {
    yield [name, field];
    for (const inner of mappingsOf(field.type)) yield* fieldsOf(inner);
  }
}

function mappingsOf(type: Type): Fields[] {
  if (type.kind === 'mapping') return [type.keys];
  if (type.kind === 'list') return mappingsOf(type.of);
  return type.kind === 'either' ? type.options.flatMap(mappingsOf) : [];
}

describe('the table of fields', () => {
  it('has for each key an example that reads without a problem, and a text', () => {
    let count = 0;
    for (const [name, field] of fieldsOf(fields)) {
      count += 1;
      const problems = new Problems();
      const {root} = readTree(`${name}: ${field.example}\n`, problems);
      if (root?.kind !== 'mapping') throw new Error(`${name}: ${field.example}`);
      const {notYet: _, ...works} = field;
      new Reader(problems, true).mapping({[name]: works}, root, [], root.range);
      expect(problems.list(), `${name}: ${field.example}`).toEqual([]);
      expect(field.doc.endsWith('.'), name).toBe(true);
      expect(field.required === true && field.default !== undefined).toBe(false);
      expect(describeType(field.type).length).toBeGreaterThan(2);
    }
    expect(count).toBeGreaterThan(80);
  });

  it('leads from every key path to its field', () => {
    for (const path of keyPaths()) expect(fieldAt(path), path.join('.')).toBeDefined();
    expect(fieldAt(['evaluate', 0, 'task'])).toBe(fieldAt(['evaluate', 'task']));
    expect(fieldAt(['rank', 1])).toBe(fieldAt(['rank']));
    expect(fieldAt(['nothing'])).toBeUndefined();
    expect(fieldAt(['model', 'inner'])).toBeUndefined();
    expect(fieldAt(['constructor'])).toBeUndefined();
  });

  it('never gives one other word to two keys of a level', () => {
    const levels = [fields as Fields, ...[...fieldsOf(fields)].flatMap(([, {type}]) => mappingsOf(type))];
    for (const level of levels) {
      const words = Object.entries(level).flatMap(([name, {alsoKnownAs}]) => [name, ...(alsoKnownAs ?? [])]);
      expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
    }
  });
});

describe('the nearest name', () => {
  const names = namesOf(fields);
  it.each([
    ['learning_rat', 'learning_rate'],
    ['LearningRate', 'learning_rate'],
    ['lr', 'learning_rate'],
    ['learn', 'learning_rate'],
    ['batchsize', 'batch_size'],
    ['tragets', 'targets'],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('to %s is %s', (word, name) => {
    expect(nearest(word, names)).toBe(name);
  });
});

describe('docs/problems.md', () => {
  it('has one section for each code of a problem', () => {
    const page = readFileSync(new URL('../../../../docs/problems.md', import.meta.url), 'utf8');
    const sections = [...page.matchAll(/^## (.*)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)];
    expect(sections.map(([, heading]) => heading)).toEqual([...problemCodes]);
    for (const [, heading, body] of sections) expect(body!.trim().length, heading).toBeGreaterThan(40);
  });

  it.each(['docs/problems.md', 'docs/guide.md', 'docs/methods.md'])(
    'is one of the pages that name every method: %s',
    file => {
      const page = readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8');
      const part = file.endsWith('problems.md') ? /^## unknown-method\n([\s\S]*?)^## /m.exec(page)![1]! : page;
      expect(Object.keys(methods).filter(name => !part.includes(`\`${name}\``))).toEqual([]);
    },
  );

  it('says of rsLoRA what it is: alpha counts over the root of the rank', () => {
    const page = readFileSync(new URL('../../../../docs/problems.md', import.meta.url), 'utf8');
    expect(page).toContain('`rslora` scales its update by alpha / √rank');
    expect(methods.rslora.formula).toContain('(alpha / √rank)');
  });
});
