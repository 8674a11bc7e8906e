/** Measured curves of accuracy over learning rates, to play searches on: those of the study and those of the demo's tasks. */
import {readFileSync} from 'node:fs';

/** One method at one batch size. */
export interface Curve {
  name: string;
  /** Rising, four a decade. */
  rates: number[];
  /** Of accuracy, 0..1: the mean over its seeds, taken for the truth, and their sample standard deviation. */
  mean: number[];
  std: number[];
  /** Mean training loss at the end, where it was measured. */
  loss?: number[];
}

interface Row {
  method: string;
  batch: number;
  lr: number;
  metric: string;
  value: number;
}

interface Aggregate extends Omit<Row, 'value'> {
  mean: number;
  std: number;
}

interface Toy {
  lr: number[];
  methods: Record<string, {acc: number[][]; train_loss_last20: number[][]}>;
}

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')) as T;

const metric = 'mean_gsm8k_math';

/** 20 cells of the study with its 12 rates each: five methods on Qwen3-0.6B-Base (of 13 rates the upper 12), and on gemma-3-1b-pt at three batch sizes. */
export function publishedCurves(): Curve[] {
  const {rows, aggregate_rows: aggregates} = fixture<{rows: Row[]; aggregate_rows: Aggregate[]}>('paper-results.json');
  const qwen = new Map<string, Map<number, number[]>>();
  for (const {method, lr, value, metric: of} of rows) {
    if (of !== metric) continue;
    const curve = qwen.get(method) ?? new Map<number, number[]>();
    qwen.set(method, curve.set(lr, [...(curve.get(lr) ?? []), value / 100]));
  }
  const gemma = new Map<string, Aggregate[]>();
  for (const row of aggregates) {
    const name = `${row.method} ${row.batch}`;
    gemma.set(name, [...(gemma.get(name) ?? []), row]);
  }
  return [
    ...[...qwen].map(([method, points]) =>
      curveOf(`Qwen ${method}`, [...points].toSorted(([a], [b]) => a - b).slice(-12)),
    ),
    ...[...gemma].map(([name, cells]) => {
      const sorted = cells.toSorted((a, b) => a.lr - b.lr);
      const [rates, mean, std] = [
        sorted.map(({lr}) => lr),
        sorted.map(row => row.mean / 100),
        sorted.map(row => row.std / 100),
      ];
      return {name: `Gemma ${name}`, rates, mean, std};
    }),
  ];
}

/** Five methods each on the demo's task and on `revnext`, a rough one with narrow peaks; 16 rates, 2 seeds. */
export function toyCurves(): {demo: Curve[]; revnext: Curve[]} {
  const {desc, revnext_300x16: revnext} = fixture<{desc: Toy; revnext_300x16: Toy}>('toy-results.json');
  return {demo: toyCurvesOf(desc), revnext: toyCurvesOf(revnext)};
}

function toyCurvesOf({lr, methods}: Toy): Curve[] {
  return Object.entries(methods).map(([name, {acc, train_loss_last20: losses}]) => ({
    ...curveOf(
      name,
      lr.map((rate, k) => [rate, acc.map(seed => seed[k]!)]),
    ),
    loss: lr.map((_, k) => average(losses.map(seed => seed[k]!))),
  }));
}

function curveOf(name: string, points: [rate: number, values: number[]][]): Curve {
  return {
    name,
    rates: points.map(([rate]) => rate),
    mean: points.map(([, values]) => average(values)),
    std: points.map(([, values]) => deviation(values)),
  };
}

/** The curve with further rates at both ends by turns, where it goes on as at its ends. */
export function widened(curve: Curve, rates: number): Curve {
  const wide = {...curve, rates: [...curve.rates], mean: [...curve.mean], std: [...curve.std]};
  const beyond = (edge: number, inner: number) => Math.max(0, edge + Math.min(0, edge - inner));
  for (let k = 0; wide.rates.length < rates; k += 1) {
    if (k % 2 === 0) {
      wide.rates.unshift(wide.rates[0]! / 10 ** 0.25);
      wide.mean.unshift(beyond(wide.mean[0]!, wide.mean[1]!));
      wide.std.unshift(wide.std[0]!);
    } else {
      wide.rates.push(wide.rates.at(-1)! * 10 ** 0.25);
      wide.mean.push(beyond(wide.mean.at(-1)!, wide.mean.at(-2)!));
      wide.std.push(wide.std.at(-1)!);
    }
  }
  return wide;
}

export const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[]): number {
  const mean = average(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
