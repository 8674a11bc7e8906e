/**
 * `npm run bench`: a sweep of twelve learning rates on two threads, this project against PyTorch in several settings.
 * Everything runs in one go: the contenders of a group stay up and take turns, round after round, so that a busy or
 * throttled moment hits all of them; every group holds this project, and ratios are taken within a group.
 *
 * `npm run bench -- curvature` compares Hessian probes instead (curvature.ts).
 *
 *   --model NAME    2x64 or 4x256 (default both)
 *   --rounds N      turns of each contender (default 7)
 *   --only TEXT     contenders with TEXT in their names, besides this project; A|B: with A or B
 *   --group TEXT    groups with TEXT in their titles: stock PyTorch, MKL's Intel kernels, bfloat16
 *   --write         write docs/benchmarks.md too
 */
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {Contender} from './contender.ts';
import {type Entry, ours, peers} from './contenders.ts';
import {machineAndVersions} from './machine.ts';
import {ownProducts, peerProducts} from './products.ts';
import {intelKernels, python, randomModel} from './python.ts';
import {asMarkdown, asText, median, type Result, resultTable, verdicts} from './results.ts';
import {batch, learningRates, productShapes, rank, sizes, threads} from './sizes.ts';

if (process.argv[2] === 'curvature') {
  await import('./curvature.ts');
  process.exit();
}

const {values: options} = parseArgs({
  options: {
    model: {type: 'string', multiple: true, default: Object.keys(sizes)},
    rounds: {type: 'string', default: '7'},
    only: {type: 'string', default: ''},
    group: {type: 'string', default: ''},
    write: {type: 'boolean', default: false},
  },
});

/** Differences allowed between the first losses of any two contenders: summation order; bfloat16 rounds to 3 digits. */
const lossTolerance = {ours: 1e-4, native32: 1e-4, native: 2e-2, stock: 1e-4, intel: 1e-4, bfloat16: 2e-2};
/** A turn is about this long, whatever the contender. */
const turnMilliseconds = 1500;

/** Starts the contenders of a group and lets them take turns. */
async function race(entries: Entry[], rounds: number): Promise<Result[]> {
  const results: Result[] = entries.map(({name, setting}) => ({name, setting, rounds: []}));
  const running = new Map<Result, Contender>();
  try {
    for (const [index, entry] of entries.entries()) {
      const result = results[index]!;
      process.stderr.write(`  starting ${entry.name}\n`);
      try {
        running.set(result, await Contender.start(entry.commands));
      } catch (error) {
        result.failure = (error as Error).message;
      }
    }
    const losses = [...running].filter(([{setting}]) => setting !== 'bfloat16').map(([, {firstLoss}]) => firstLoss);
    for (const [result, {firstLoss}] of running)
      if (Math.abs(firstLoss - median(losses)) > lossTolerance[result.setting])
        throw new Error(
          `${result.name} does not compute the same: first loss ${firstLoss}, the others ${median(losses)}.`,
        );
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`  round ${round} of ${rounds}\n`);
      for (const [result, contender] of running) {
        const last = result.rounds.at(-1) ?? (await contender.measure(1));
        const steps = Math.min(50, Math.max(1, Math.round(turnMilliseconds / last)));
        result.rounds.push(await contender.measure(steps));
      }
    }
  } finally {
    await Promise.all([...running.values()].map(contender => contender.stop()));
  }
  return results;
}

const sections: string[] = [];
function show(title: string, table: string[][], sentences: string[]): void {
  console.log(`\n${title}\n${asText(table)}\n${sentences.join('\n')}`);
  sections.push(`## ${title}\n\n${asMarkdown(table)}\n\n${sentences.join('\n\n')}`);
}

const interpreter = await python();
const intel = await intelKernels();
const preload = 'library' in intel ? intel.library : undefined;

const rates: [string, number[]][] = [
  ['onnxruntime (this project), float32', await ownProducts()],
  ['PyTorch as installed, float32', await peerProducts(interpreter, 'float32')],
  ['PyTorch, bfloat16', await peerProducts(interpreter, 'bfloat16')],
];
if (preload)
  rates.push(["PyTorch with MKL's Intel kernels, float32", await peerProducts(interpreter, 'float32', preload)]);
show(
  'Matrix products, GFLOPS on one thread',
  [
    ['', ...productShapes.map(shape => shape.join(' × '))],
    ...rates.map(([name, values]) => [name, ...values.map(rate => rate.toFixed(0))]),
  ],
  'reason' in intel ? [`MKL's Intel kernels were not forced: ${intel.reason}.`] : [],
);

for (const name of options.model) {
  const size = sizes[name];
  if (!size) throw new Error(`There is no model ${name}; there are ${Object.keys(sizes).join(' and ')}.`);
  const model = await randomModel(interpreter, name, size);
  const mine = ours(model, size);
  const wanted = (entries: Entry[]) =>
    entries.filter(({name}) => options.only.split('|').some(text => name.includes(text)));
  const native = [ours(model, size, 'native32'), ours(model, size, 'native')];
  const groups: [string, Entry[], Entry[]][] = [
    ['stock PyTorch', [mine], wanted(peers('stock', interpreter, undefined, model, size))],
    ["MKL's Intel kernels", [mine], preload ? wanted(peers('intel', interpreter, preload, model, size)) : []],
    ['bfloat16', [mine, ...native], wanted(peers('bfloat16', interpreter, undefined, model, size))],
  ];
  for (const [title, own, entries] of groups) {
    if (entries.length === 0 || !title.includes(options.group)) continue;
    const results = await race([...own, ...entries], Number(options.rounds));
    const heading = `${name}: ${learningRates.length} trials, batch ${batch} × ${size.tokens}, rank ${rank}, ${threads} threads; ${title}`;
    show(heading, resultTable(results, learningRates.length), verdicts(results, learningRates.length));
  }
}

if (options.write) {
  const file = join(import.meta.dirname, '../../docs/benchmarks.md');
  const introduction = [
    'Written by `npm run bench -- --write`. Each trial has a batch of its own and a step is forward, backward, clipping and',
    `AdamW; times are medians of ${options.rounds} rounds in which the contenders take turns. What holds on one machine need not`,
    'hold on another: the ratio follows the matrix products in the first table.',
  ];
  const machine = await machineAndVersions(interpreter);
  await writeFile(
    `${file}.unfinished`,
    `${['# Benchmarks', introduction.join('\n'), asMarkdown(machine), ...sections].join('\n\n')}\n`,
  );
  await rename(`${file}.unfinished`, file);
  console.log(`\nWritten to ${file}`);
}
