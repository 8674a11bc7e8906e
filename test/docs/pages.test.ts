import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {methods} from '../../core/method/methods.ts';
import {keyPaths} from '../../core/sweep/table/fields.ts';
import {pages} from '../../docs/make/pages.ts';

const pageOf = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('the pages made of the tables', () => {
  it.each(Object.entries(pages))('docs/%s is what `npm run docs` writes', (name, make) => {
    const page = pageOf(name);
    expect(page).toBe(make(page));
  });

  it('name every key of the sweep language', () => {
    const page = pageOf('sweep-file.md');
    for (const path of keyPaths()) expect(page).toContain(`\`${path.join('.')}\``);
  });

  it('name every method with what it trains and how sharp its start is', () => {
    const page = pageOf('methods.md');
    for (const [name, {title, formula, trains, sharpness}] of Object.entries(methods))
      for (const text of [`## ${title} (\`${name}\`)`, formula, trains, sharpness.doc]) expect(page).toContain(text);
  });
});
