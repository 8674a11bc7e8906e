/** A small sweep of the demo's base in the precisions that are asked for. */
export const precisionText = (precision: string, more = '') => `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 24}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: 3e-3
seeds: [7]
training: {steps: 3, precision: ${precision}}
evaluate: {task: loss, data: desc-test.jsonl, limit: 8}
${more}`;
