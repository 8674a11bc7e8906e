/** Numbers as people read them, the same in tables, charts and reports. */
import {noRank} from '../sweep/sweep.ts';
import {forgettingMetric, unitOf} from './peak.ts';

/** A learning rate with three digits: `6.32e-3`, `2e-4`. */
export function formatRate(rate: number): string {
  const [digits, exponent] = rate.toExponential(2).split('e');
  return `${Number(digits)}e${Number(exponent)}`;
}

/** A metric's value: a share in percent, a loss with three digits, any other with two decimals, as such are published. */
export function formatValue(value: number, metric: string): string {
  return unitOf(metric) === 'share' ? `${bare(value, metric)} %` : bare(value, metric);
}

/** `gsm8k`, or `gsm8k on test.jsonl` where a sweep has several entries of the task. */
export function formatEvaluation(task: string, entry: string | undefined): string {
  return entry === undefined ? task : `${task} on ${entry}`;
}

/** What was measured: `gsm8k accuracy`, and `loss on test.jsonl` or `forgetting on test.jsonl` of task loss. */
export function formatMeasure(task: string, metric: string): string {
  if (['loss', forgettingMetric].includes(metric) && /^loss($| on | \()/.test(task))
    return `${metric}${task.slice('loss'.length)}`;
  return task === metric || task.startsWith(`${metric} on `) ? task : `${task} ${metric}`;
}

/** A difference of, or a deviation from, a metric's value. */
export function formatDifference(value: number, metric: string): string {
  return unitOf(metric) === 'share' ? `${bare(value, metric)} points` : bare(value, metric);
}

/** `99.4 % ± 0.3` or `0.0123 ± 0.0004`; without ± where the deviation is not known. */
export function formatMean(mean: number, std: number | null, metric: string): string {
  return std === null ? formatValue(mean, metric) : `${formatValue(mean, metric)} ± ${bare(std, metric)}`;
}

/** `+0.5 ± 1.2 points`; the difference alone where its uncertainty is not known. */
export function formatGap(difference: number, halfWidth: number | null, metric: string): string {
  const sign = difference < 0 ? '\u2212' : '+';
  const size = `${sign}${bare(Math.abs(difference), metric)}`;
  const text = halfWidth === null ? size : `${size} ± ${bare(halfWidth, metric)}`;
  return unitOf(metric) === 'share' ? `${text} points` : text;
}

function bare(value: number, metric: string): string {
  switch (unitOf(metric)) {
    case 'loss':
    case 'change':
      return formatLoss(value);
    case 'share':
      return (100 * value).toFixed(1);
    case 'number':
      return value.toFixed(2);
  }
}

export function formatLoss(loss: number): string {
  if (loss === 0) return '0';
  return Math.abs(loss) < 1e-3 ? loss.toExponential(1) : loss.toPrecision(3);
}

/** `7 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `0.85 ms`, `4.3 ms`, `320 ms`, `5.2 s`: of something short, with two digits. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds >= 1000) return formatSeconds(milliseconds / 1000);
  return `${Number(milliseconds.toPrecision(milliseconds < 100 ? 2 : 3))} ms`;
}

/** `12 kB`, `850 MB`, `1.4 GB`. */
export function formatMemory(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** How far a preparation is: `factorising weights 3/28`; of many things the share, `reading rows, 45 %`. */
export function formatPreparing({what, done, total}: {what: string; done: number; total: number}): string {
  return total < 1000 ? `${what} ${done}/${total}` : `${what}, ${Math.floor((100 * done) / total)} %`;
}

/** `1 seed`, `2 seeds`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** `rank 8`, or `all weights` for what has no rank. */
export function formatSize(rank: number): string {
  return rank === noRank ? 'all weights' : `rank ${rank}`;
}
