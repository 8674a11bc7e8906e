/** The costs of all methods on the study's models, as docs/methods.md has them. */
import {type MethodName, noRank} from '../sweep/sweep.ts';
import {markdownTable} from '../table.ts';
import {costColumns, costRow, type DecoderShape, methodCost} from './cost.ts';
import {knownShapes} from './known-shapes.ts';
import {methods} from './methods.ts';

const ranks = [4, 8, 16, 32, 64, 128, 256];
/** Of the study's steps: 64 rows of 512 tokens. */
const tokens = 64 * 512;

/** BOFT's blocks divide the inputs; LoRA-GA takes two singular vectors a rank. */
function exists(method: MethodName, rank: number, {adapted}: DecoderShape): boolean {
  if (method === 'boft') return adapted.every(({inputs}) => inputs % rank === 0);
  if (method === 'lora-ga') return adapted.every(({inputs, outputs}) => 2 * rank <= Math.min(inputs, outputs));
  return true;
}

export function costSection(): string {
  const names = Object.keys(methods) as MethodName[];
  const tables = Object.entries(knownShapes).flatMap(([model, shape]) => [
    `### ${model}`,
    '',
    ...markdownTable(
      [...costColumns],
      names.flatMap(method =>
        (method === 'full' ? [noRank] : ranks)
          .filter(rank => exists(method, rank, shape))
          .map(rank => costRow(methodCost({method, rank}, shape, tokens))),
      ),
    ),
    '',
  ]);
  return [
    '## Costs',
    '',
    'All seven projections adapted, steps of 64 rows of 512 tokens; `lora-sweep plan` says the same of your own sweep. Optimizer memory:',
    "AdamW's two moments in float32. Work: the products with weights, forward and backward; attention itself, which no method changes, is",
    'left out. The overhead is that of an adapter beside its base; methods that take their start out of the base bring a second pair.',
    "GraLoRA in 2 × 2 blocks, BOFT with blocks as large as the rank and one rotation; ranks a method cannot have on a model's shapes are left out.",
    '',
    ...tables,
  ].join('\n');
}
