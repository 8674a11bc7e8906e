/** `plan` in words: what a sweep will do and cost. */
import {measuredCostColumns, measuredCostRows} from '../core/run/costs.ts';
import {count, formatRate, formatSeconds} from '../core/run/format.ts';
import {textTable} from '../core/table.ts';
import type {Plan} from './estimate.ts';

const shownTrials = 20;

export function planText(plan: Plan): string[] {
  const trials = plan.trials.slice(0, shownTrials);
  const more = plan.trials.length - trials.length;
  return [
    `${count(plan.trials.length, 'trial')} in ${count(plan.packs.length, 'pack')} on the ${plan.engine} engine: ${plan.reason}`,
    ...Object.entries(plan.steps).map(([batch, steps]) => `${count(steps, 'step')} a trial at batch size ${batch}`),
    `${scaled(plan.flops, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E'])}FLOP in all, ` +
      `${scaled(plan.memory_bytes, 1024, ['', 'Ki', 'Mi', 'Gi', 'Ti'])}B of memory${plan.checkpoint ? ' with layers computed again' : ''}, ` +
      `${plan.seconds === null ? 'time not known yet' : `about ${formatSeconds(plan.seconds)}`}`,
    '',
    ...textTable([...measuredCostColumns], measuredCostRows(plan.costs, plan.step_times)),
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

/** Three digits and a prefix: `1.23 G`. */
function scaled(value: number, base: number, prefixes: string[]): string {
  let power = 0;
  while (value >= base && power < prefixes.length - 1) {
    value /= base;
    power++;
  }
  return `${Number(value.toPrecision(3))} ${prefixes[power]}`;
}
