import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {methods} from '../../../core/method/methods.ts';
import {formatRate} from '../../../core/run/format.ts';

const page = readFileSync(new URL('../../../docs/methods.md', import.meta.url), 'utf8');

it.each(Object.values(methods))('docs/methods.md says of $title what the data says', method => {
  const start = page.indexOf(`## ${method.title} (\`${method.name}\`)`);
  expect(start).toBeGreaterThan(0);
  const end = page.indexOf('\n## ', start + 1);
  const section = page.slice(start, end === -1 ? undefined : end);
  for (const text of [method.formula, method.trained, method.cost, method.sharpness.doc, method.paper.arXiv])
    expect(section).toContain(text);
  for (const {model, rank, batchSize, best, good} of method.knownRates)
    expect(section).toContain(
      `| ${model} | ${rank} | ${batchSize} | ${formatRate(best)} | ${formatRate(good.from)} to ${formatRate(good.to)} |`,
    );
});
