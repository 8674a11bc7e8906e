import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {parseAsWritten} from '../../trainer/files/written-json.ts';
import {TemplateError} from '../../trainer/jinja/error.ts';
import {toValue} from '../../trainer/jinja/from-json.ts';
import {compileTemplate} from '../../trainer/jinja/template.ts';
import type {Value} from '../../trainer/jinja/values.ts';

/** Made by references/expressions.py: what Jinja2 writes for small templates, null where it refuses them. */
const file = new URL('../fixtures/text/expressions.json', import.meta.url);
const {context, entries} = parseAsWritten(readFileSync(file, 'utf8')) as {
  context: Record<string, unknown>;
  entries: [template: string, text: string | null][];
};
const values = new Map(Object.entries(context).map(([name, value]): [string, Value] => [name, toValue(value)]));

function written(template: string): {text: string | null; why: string} {
  try {
    return {text: compileTemplate(template).render(values, {date: new Date(0)}).text, why: ''};
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return {text: null, why: error.message};
  }
}

test('small templates write what Jinja2 writes, or are refused with the name of what is not supported', () => {
  const different = [];
  const refused = new Map<string, number>();
  for (const [template, expected] of entries) {
    const {text, why} = written(template);
    if (text === expected) continue;
    if (text === null && /not supported/.test(why)) refused.set(why, (refused.get(why) ?? 0) + 1);
    else different.push({template, expected, text, why});
  }
  expect(different).toEqual([]);
  expect([...refused.values()].reduce((sum, count) => sum + count, 0) / entries.length).toBeLessThan(0.05);
});
