/** The study's published rows, judged as if they were a run of one's own. */
import {readFileSync} from 'node:fs';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {publishedEvents} from '../../../core/run/published/events.ts';
import {mostMoreSeeds} from '../../../core/run/verdict/needs.ts';
import {compare} from '../../../core/run/verdict.ts';
import type {Section} from '../pages/part.ts';

const metric = 'mean_gsm8k_math';

export function paperSection(): Section {
  const document: unknown = JSON.parse(
    readFileSync(new URL('../../fixtures/paper-results.json', import.meta.url), 'utf8'),
  );
  const events = publishedEvents(document, 'study', 'the study');
  const state = foldAll(
    emptyRun,
    events.map(event => ({...event, at: 0})),
  );
  return {
    title: "What the verdict says of the study's rows",
    introduction:
      'Three seeds a rate, five methods, the mean of GSM8K and MATH; Qwen3 0.6B at one batch size, Gemma 3 1B at three. Every method at its own best rate against LoRA.',
    table: [
      ['margin', 'equivalent', 'better', 'worse', 'not resolved', 'more seeds they need'],
      ...[0.01, 0.02].map(margin => rowOf(state, margin)),
    ],
    sentences: [],
  };
}

function rowOf(state: RunState, margin: number): string[] {
  const compared = compare({...state, verdict: {margin, baseline: 'lora'}}).filter(one => one.metric === metric);
  const gaps = compared.flatMap(({spread, batchSize, model}) =>
    (spread?.gaps ?? []).map(gap => ({...gap, name: `${gap.method}, ${model} at ${batchSize}`})),
  );
  const those = (word: string) => gaps.filter(gap => gap.word === word);
  const more = those('not resolved').flatMap(gap => (gap.more === null || gap.more >= mostMoreSeeds ? [] : [gap.more]));
  const named = (word: string) => {
    const found = those(word);
    return found.length === 0 || found.length > 4
      ? `${found.length} of ${gaps.length}`
      : `${found.length} of ${gaps.length}: ${found.map(({name}) => name).join('; ')}`;
  };
  return [
    `${100 * margin} ${margin === 0.01 ? 'point' : 'points'}`,
    ...['equivalent', 'better', 'worse', 'not resolved'].map(named),
    more.length === 0 ? '–' : `${Math.min(...more)} to ${Math.max(...more)}`,
  ];
}
