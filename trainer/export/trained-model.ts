/** The weights a trial has trained, as a model folder of its own in the run folder. */
import {rmSync} from 'node:fs';
import type {Parts} from '../method/form.ts';
import {narrowed} from '../model/narrow.ts';
import {openWeights, type WeightIndex} from '../model/weights.ts';
import {overwrite, placesIn} from './merge.ts';
import {writeModelFolder} from './model-folder.ts';

/** Of a run folder: model folders by trial, where whole weights were trained. */
export const modelsName = 'models';

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
      for (const [name, {weight}] of trained) {
        const stored = weights.tensors.get(name)!;
        await overwrite(place(stored), stored, narrowed(weight!, stored));
      }
    },
  });
  return openWeights(target).hash();
}
