/** Embeddings and heads that PEFT saved beside an adapter's factors. */
import {SweepError} from '../../core/error.ts';
import type {ModelConfig} from '../model/config.ts';
import {sameTensor} from '../model/tied-head.ts';
import type {WeightIndex} from '../model/weights.ts';
import type {Adapter} from './read-adapter.ts';

/**
 * Whether they are what the base has, so that nothing is lost without them.
 * @throws SweepError `bad-adapter`
 */
export function checkCopies(
  folder: string,
  {copies}: Adapter,
  {config, weights}: {config: ModelConfig; weights: Pick<WeightIndex, 'tensors'>},
): void {
  for (const [name, tensor] of copies) {
    const own = config.tiedEmbeddings && name === 'lm_head.weight' ? 'model.embed_tokens.weight' : name;
    const stored = weights.tensors.get(own);
    if (!stored || !sameTensor(tensor, stored))
      throw new SweepError(
        'bad-adapter',
        `The adapter ${folder} brings ${name}, which differs from the model's own; embeddings and heads that were trained are not supported.`,
        {folder},
      );
  }
}
