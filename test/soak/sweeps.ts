/** Sweeps small enough to be killed often, that together have everything which a kill could break. */
import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const demo = fileURLToPath(new URL('../../demo/', import.meta.url));
const stories = fileURLToPath(new URL('../fixtures/stories260K', import.meta.url));

const described = (more: string) => `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
rank: 4
batch_size: 8
${more}`;

/** Each row is a function's head; half of what is taught for it is right. */
const problems = [0, 1].map(row => ({
  prompt: `def f${row}():`,
  entry_point: `f${row}`,
  canonical_solution: 'return 1',
  test: `def check(f):\n    import time\n    time.sleep(0.05)\n    assert f() == 1`,
}));
const taught = problems.flatMap(({prompt}) =>
  [1, 2].map(value => ({
    prompt: `Complete the following Python function:\n\n${prompt}`,
    completion: `return ${value} and then`,
  })),
);
const lines = (rows: readonly object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');

export const sweeps = {
  /** Dropout, accumulation, evaluations on the way, curvature at the start, on the way and at the end, two workers. */
  training: described(`methods: [lora, pissa]
learning_rate: 1e-3
training: {steps: 24, dropout: 0.1, micro_batch: 3}
curvature: {samples: 8, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 12, at: [start, 50%, end]}
evaluate:
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 8, limit: 12, every: 12}
  - {task: loss, data: ${demo}desc-test.jsonl, limit: 12, every: 8}
run: {workers: 2}
`),
  /** Trials side by side in one step, with a scorer in a process of its own. */
  packs: described(`methods: [lora, init-ab]
learning_rate: [1e-3, 4e-3]
training: {steps: 20, dropout: 0.1}
evaluate:
  - {task: custom, scorer: score.mjs, data: ${demo}desc-test.jsonl, max_new_tokens: 8, limit: 12, every: 10}
run: {pack: 2, workers: 1}
`),
  /** A search: scans that pause where answers are judged, whole trainings, further seeds. */
  search: described(`methods: [lora, pissa]
learning_rate: [3e-4, 1e-3, 3e-3, 1e-2]
seeds: [1, 2]
training: {steps: 24, dropout: 0.1}
search: halving
verdict: {margin: 0.1%, seeds: 3}
evaluate: {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 8, limit: 12, every: 12}
run: {workers: 2}
`),
  /** A search over rates and decays, whose cells wait for each other. */
  tuned: described(`methods: [lora]
learning_rate: [1e-3, 3e-3, 1e-2, 3e-2]
tune: [learning_rate, training.weight_decay]
seeds: [1, 2]
training: {steps: 24, weight_decay: [0, 0.5]}
search: halving
evaluate: {task: loss, data: ${demo}desc-test.jsonl, limit: 12, every: 12}
run: {workers: 2}
`),
  /** Programs in the sandbox, several samples each. */
  code: `model: ${stories}
data: {train: taught.jsonl, format: completion, columns: {prompt: prompt, completion: completion}}
methods: [lora]
rank: 8
batch_size: 4
learning_rate: [1e-2, 5e-3]
training: {steps: 16}
evaluate: {task: humaneval, data: problems.jsonl, samples: 2, temperature: 0.9, k: [1, 2], max_new_tokens: 12, stop: " and", every: 8}
run: {workers: 1}
`,
} as const;
export type SweepName = keyof typeof sweeps;

/** Writes a sweep with what it needs into a folder of its own, and answers the file. */
export function writeSweep(folder: string, name: SweepName): string {
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'taught.jsonl'), lines(taught));
  writeFileSync(join(folder, 'problems.jsonl'), lines(problems));
  writeFileSync(join(folder, 'score.mjs'), 'export const score = ({output}) => output.length / 10;\n');
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(file, sweeps[name]);
  return file;
}

/** A copy of the demo's model and rows, for tests that take them away. */
export function copyDemo(folder: string): void {
  cpSync(demo, folder, {recursive: true});
}
