/** The costs of all methods on the study's models, as docs/methods.md has them. */
import type {MethodName} from '../sweep/sweep.ts';
import {markdownTable} from '../table.ts';
import {costColumns, costRow, methodCost} from './cost.ts';
import {knownShapes} from './known-shapes.ts';
import {methods} from './methods.ts';

const ranks = [4, 8, 16, 32, 64, 128, 256];
/** Of the study's steps: 64 rows of 512 tokens. */
const tokens = 64 * 512;

export function costSection(): string {
  const names = Object.keys(methods) as MethodName[];
  const tables = Object.entries(knownShapes).flatMap(([model, shape]) => [
    `### ${model}`,
    '',
    ...markdownTable(
      [...costColumns],
      names.flatMap(method => ranks.map(rank => costRow(methodCost(method, rank, shape, tokens)))),
    ),
    '',
  ]);
  return [
    '## Costs',
    '',
    'All seven projections adapted, steps of 64 rows of 512 tokens; `lora-sweep plan` says the same of your own sweep. Optimizer memory:',
    "AdamW's two moments in float32. Work: the products with weights, forward and backward; attention itself, which no method changes, is",
    'left out. The overhead is that of an adapter beside its base; methods that take their start out of the base bring a second pair.',
    '',
    ...tables,
  ].join('\n');
}
