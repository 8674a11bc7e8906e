/** The weights a trial has trained, as a model folder of its own in the run folder. */
import {rmSync} from 'node:fs';
import type {Parts} from '../method/form.ts';
import {openWeights, type WeightIndex} from '../model/weights.ts';
import {writeModelFolder} from '../store/model-folder.ts';
import {narrowed} from '../weights/narrow.ts';
import {overwrite, placesIn} from './merge.ts';

/**
 * Writes a model folder like that of the base with `trained` weights (by name, each as part `weight`) in the base's types;
 * an earlier one in its place is replaced. Returns the hash of its weights.
 * @throws SweepError `disk-full`, `cannot-write`, `bad-model`
 */
export async function writeTrainedModel(
  target: string,
  weights: WeightIndex,
  trained: ReadonlyMap<string, Parts>,
  card: string,
): Promise<string> {
  rmSync(target, {recursive: true, force: true});
  await writeModelFolder({
    weights,
    target,
    card,
    async change(folder) {
      const place = placesIn(folder, weights.files);
      const write = async (name: string, weight: Float32Array) => {
        const stored = weights.tensors.get(name)!;
        await overwrite(place(stored), stored, narrowed(weight, stored));
      };
      for (const [name, {weight}] of trained) await write(name, weight!);
      // A head that was stored as a copy of the embeddings stays one.
      const embeddings = trained.get('model.embed_tokens.weight')?.['weight'];
      const copied = weights.tensors.has('lm_head.weight') && !trained.has('lm_head.weight');
      if (embeddings && copied) await write('lm_head.weight', embeddings);
    },
  });
  return openWeights(target).hash();
}
