/** The golden rows as trials read them. */
import {writeFileSync} from 'node:fs';
import {loadDataset} from '../../trainer/data/dataset.ts';
import {paddedShape} from '../../trainer/data/shapes.ts';
import type {ModelConfig} from '../../trainer/model/config.ts';
import type {TrainingSource} from '../../trainer/step/batches.ts';
import {type GoldenBatch, goldenJson} from './golden.ts';

/** Batches of four rows, padded to 20 tokens; the rows are written to `file`. */
export async function goldenSource(file: string, config: ModelConfig, shuffle: boolean): Promise<TrainingSource> {
  const rows = goldenJson<{train: GoldenBatch[]}>('train/dataset.json').train.flatMap(batch =>
    batch.input_ids.map((ids, row) => {
      const length = batch.attention_mask[row]!.filter(Boolean).length;
      return JSON.stringify({input_ids: ids.slice(0, length), labels: batch.labels[row]!.slice(0, length)});
    }),
  );
  writeFileSync(file, rows.join('\n'));
  const settings = {train: [file], columns: {}, maxLength: 512, shuffle: false};
  const dataset = await loadDataset({...settings, format: 'tokens', template: 'plain'}, '.', {config, tokenizer: null});
  return {dataset, rows: 4, batchSize: 4, shuffle, shapes: [paddedShape(4, 20, 80)], pad: 0, name: file};
}
