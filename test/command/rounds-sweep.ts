/** A search that goes by rounds where its methods are cut over tasks, beside the demo's files. `further`: lines that follow. */
export const roundsSweep = (further: string): string => `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: [1e-4, 1e-3, 3e-3, 1e-2]
seeds: [1, 2]
training: {steps: 26}
evaluate: {task: loss, data: desc-test.jsonl, limit: 16}
search: halving
verdict: {margin: 1%, seeds: 4}
${further}
`;
