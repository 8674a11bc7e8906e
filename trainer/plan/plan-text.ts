/** `plan` in words: what a sweep will do and cost. */
import {measuredCosts} from '../../core/run/costs.ts';
import {count, formatEngine, formatRate, formatSeconds} from '../../core/run/format.ts';
import {stepsInWords} from '../../core/sweep/axes/axes.ts';
import {textTable} from '../../core/table.ts';
import type {Plan} from './plan.ts';

const shownTrials = 20;

export function planText(plan: Plan): string[] {
  const trials = plan.trials.slice(0, shownTrials);
  const more = plan.trials.length - trials.length;
  const costs = measuredCosts(plan.costs, plan.step_times);
  return [
    `${count(plan.trials.length, 'trial')} in ${count(plan.packs.length, 'pack')}${packSizes(plan)} on the ${formatEngine(plan.engine)}: ${plan.reason}`,
    plan.roles,
    ...stepsInWords(plan.steps).map(({batchSize, words}) => `${words} a trial at batch size ${batchSize}`),
    `${scaled(plan.flops, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E'])}FLOP in all, ` +
      `${scaled(plan.memory_bytes, 1024, ['', 'Ki', 'Mi', 'Gi', 'Ti'])}B of memory${plan.checkpoint ? ' with layers computed again' : ''}, ` +
      `${plan.seconds === null ? 'time not known yet' : `about ${formatSeconds(plan.seconds)}`}`,
    ...plan.notes,
    '',
    ...dataLines(plan.data),
    '',
    ...textTable(costs.columns, costs.rows),
    '',
    ...textTable(
      [
        {title: 'trial', align: 'left'},
        {title: 'method', align: 'left'},
        {title: 'rank', align: 'right'},
        {title: 'alpha', align: 'right'},
        {title: 'batch size', align: 'right'},
        {title: 'learning rate', align: 'right'},
        {title: 'seed', align: 'right'},
      ],
      trials.map(({id, method, rank, alpha, batch_size, learning_rate, seed}) => [
        id,
        method,
        String(rank),
        String(Number(alpha.toPrecision(5))),
        String(batch_size),
        formatRate(learning_rate),
        String(seed),
      ]),
    ),
    ...(more > 0 ? [`… and ${count(more, 'more trial')}; --json lists them all`] : []),
  ];
}

/** ` (of 6 and 5 trials)`, where trials share steps. */
function packSizes({packs}: Plan): string {
  const sizes = [...new Set(packs.map(pack => pack.length))].sort((a, b) => b - a);
  return sizes.some(size => size > 1) ? ` (of ${sizes.join(' and ')} trials)` : '';
}

/** Cells of the longest bar of a histogram. */
const barCells = 24;

/** What the rows are like, with a histogram of their lengths. */
function dataLines({rows, tokens, lengths, ...data}: Plan['data']): string[] {
  const {shortest, median, longest} = lengths;
  const speed = data.tokens_per_second;
  const most = Math.max(...data.histogram.map(bucket => bucket.rows));
  const first = data.histogram.findIndex(bucket => bucket.rows > 0);
  const remarks = [
    data.truncated > 0 ? `${percent(data.truncated_share)} of the rows are cut at ${data.max_length} tokens` : '',
    data.left_out > 0 ? `${count(data.left_out, 'row')} without a token to learn left out` : '',
    speed === null ? '' : `about ${Math.round(speed).toLocaleString('en-US')} tokens/s expected`,
  ].filter(Boolean);
  return [
    `${count(rows, 'row')} of ${shortest} to ${longest} tokens (median ${median}), ` +
      `${scaled(tokens, 1000, ['', 'k', 'M', 'G'])} tokens in all, ${percent(data.target_share)} of them learnt`,
    ...(remarks.length > 0 ? [remarks.join('; ')] : []),
    ...textTable(
      [
        {title: 'tokens a row', align: 'right'},
        {title: 'rows', align: 'right'},
        {title: '', align: 'left'},
      ],
      data.histogram
        .map(({up_to: end, rows: inside}, index) => [
          `${(data.histogram[index - 1]?.up_to ?? 0) + 1}–${end}`,
          inside.toLocaleString('en-US'),
          '█'.repeat(Math.ceil((barCells * inside) / most)),
        ])
        .slice(first),
    ),
  ];
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** Three digits and a prefix: `1.23 G`. */
function scaled(value: number, base: number, prefixes: string[]): string {
  let power = 0;
  while (value >= base && power < prefixes.length - 1) {
    value /= base;
    power++;
  }
  return `${Number(value.toPrecision(3))} ${prefixes[power]}`;
}
