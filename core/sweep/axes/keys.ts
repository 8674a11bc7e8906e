/** How axes are called, and what a value of one is. */

/** In the order in which they stand in ids. */
export const axisKeys = [
  'model',
  'data',
  'data.rows',
  'data.max_length',
  'data.template',
  'targets',
  'alpha',
  'training.epochs',
  'training.steps',
  'training.optimizer',
  'training.weight_decay',
  'training.schedule',
  'training.warmup_ratio',
  'training.warmup_steps',
  'training.max_grad_norm',
  'training.dropout',
  'training.precision',
] as const;

export type AxisKey = (typeof axisKeys)[number];

/** One value of an axis. `text` is what tells it from the others, in tables, files and filters; `part` is its part of an id. */
export interface AxisValue {
  text: string;
  part: string;
  value: unknown;
}

/** Keys in the order of the axes, those that are none behind them as they come. */
export function inAxisOrder(keys: Iterable<string>): string[] {
  const all = new Set(keys);
  const axes = new Set<string>(axisKeys);
  return [...axisKeys.filter(key => all.has(key)), ...[...all].filter(key => !axes.has(key))];
}

/** Texts of axes by their keys. */
export type Settings = Readonly<Record<string, string>>;
