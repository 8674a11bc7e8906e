/** The costs of all methods on the study's models, as docs/methods.md has them. */
import {noRank} from '../sweep/sweep.ts';
import {markdownTable} from '../table.ts';
import {costColumns, costRow, type DecoderShape, methodCost} from './cost.ts';
import {knownShapes} from './known-shapes.ts';
import {type MethodName, methodNames, methods} from './methods.ts';
import {sizeOf} from './parameters.ts';

const ranks = [4, 8, 16, 32, 64, 128, 256];
/** Of the study's steps: 64 rows of 512 tokens. */
const tokens = 64 * 512;

/** Whether a method can have this rank on all matrices of a model. */
function exists(method: MethodName, rank: number, {adapted}: DecoderShape): boolean {
  const size = sizeOf({method, rank});
  return adapted.every(matrix => methods[method].obstacle(matrix, size) === undefined);
}

export function costSection(): string {
  const tables = Object.entries(knownShapes).flatMap(([model, shape]) => [
    `### ${model}`,
    '',
    ...markdownTable(
      [...costColumns],
      methodNames.flatMap(method =>
        (methods[method].weights ? [noRank] : ranks)
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
    "AdamW's two moments, or LoFT's own, in float32. Work: the products with weights, forward and backward; attention itself, which no method changes, is",
    'left out. The overhead is that of an adapter beside its base; methods that take their start out of the base bring a second pair.',
    "GraLoRA in 2 × 2 blocks, BOFT with blocks as large as the rank and one rotation; ranks a method cannot have on a model's shapes are left out.",
    '',
    ...tables,
  ].join('\n');
}
