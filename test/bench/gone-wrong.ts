/** How soon the language server's features answer on sweep files gone wrong, and what a very long one costs. */
import {readSweep} from '../../core/sweep/read.ts';
import {openInspector} from '../../trainer/inspect/inspector.ts';
import {random} from '../../trainer/math/random.ts';
import {topTriplets} from '../../trainer/math/svd.ts';
import {smallest} from '../core/sweep/files.ts';
import {mutation, realTexts} from '../core/sweep/mutations.ts';
import {allFeatures} from '../server/all-features.ts';
import type {Section} from './pages/part.ts';

/** The better of two, as another process may take the processor meanwhile. */
async function milliseconds(work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 2; time++) {
    const began = performance.now();
    await work();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

/** @param files how many are tried */
export async function goneWrong(files: number): Promise<Section> {
  const texts = realTexts();
  const inspector = openInspector();
  const times = new Map<string, number[]>();
  for (let seed = 0; seed < files; seed++) {
    const text = mutation(seed, texts);
    const offset = random('position', seed).integerBelow(text.length + 1);
    const features = await allFeatures({uri: 'file:///a.sweep.yaml', text, offset}, inspector);
    for (const [name, feature] of Object.entries(features))
      times.set(name, [...(times.get(name) ?? []), await milliseconds(feature)]);
  }
  const W = Float32Array.from(random('speed').normal(256 * 768));
  const long = {
    'reading 1 MB of comments': () => readSweep(smallest + '# a comment line\n'.repeat(60_000)),
    'reading 1 MB of brackets': () => readSweep('rank: [,]'.repeat(100_000)),
    'factorising 256 x 768 at rank 32': () => topTriplets(W, 256, 768, 32),
  };
  const table = [['what', 'median, ms', 'longest, ms', 'goal']];
  for (const [name, values] of times) {
    const sorted = values.toSorted((a, b) => a - b);
    table.push([
      name,
      sorted[Math.floor(sorted.length / 2)]!.toFixed(2),
      sorted.at(-1)!.toFixed(1),
      'longest < 200 ms',
    ]);
  }
  for (const [name, work] of Object.entries(long))
    table.push([name, (await milliseconds(work)).toFixed(1), '', '< 2,000 ms']);
  return {
    title: 'Sweep files gone wrong',
    introduction: `${files.toLocaleString('en-US')} mutations of real sweep files, every feature asked at a random place of each; and three things that could take for ever. Run in one process, the better of two.`,
    table,
    sentences: [],
  };
}
