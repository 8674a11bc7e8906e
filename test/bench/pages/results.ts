/** What was measured, and how it is shown: the same tables as text and as Markdown. */
import {formatMemory} from '../../../core/run/format.ts';
import {isOurs, type OwnSetting, type Setting} from '../peers/contenders.ts';

export interface Result {
  name: string;
  setting: Setting;
  /** Milliseconds of one step of all trials, one value a round; empty where it could not run. */
  rounds: number[];
  /** Most resident memory of its processes together; 0 where it is not known. */
  peakBytes: number;
  /** Why it could not run. */
  failure?: string;
}

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const settingTitles: Record<Exclude<Setting, OwnSetting>, string> = {
  stock: 'stock PyTorch, float32',
  intel: "float32 with MKL's Intel kernels forced",
  bfloat16: 'bfloat16 autocast',
};

/** Milliseconds of one step of one trial. */
const perTrial = (ms: number, trials: number) => (ms / trials).toFixed(2);

/** Of this project, in bfloat16 where that took part. */
const ownRounds = (results: Result[]): number[] =>
  ['native', 'ours'].flatMap(wanted =>
    results.filter(({setting, rounds}) => setting === wanted && rounds.length > 0),
  )[0]?.rounds ?? [];

/** One line a contender, in the order they ran: `ratio` is its median over ours. */
export function resultTable(results: Result[], trials: number): string[][] {
  const mine = ownRounds(results);
  const rows = results.map(({name, setting, rounds, peakBytes, failure}) => {
    const precision = isOurs(setting) ? (setting === 'native' ? 'bfloat16' : 'float32') : settingTitles[setting];
    if (rounds.length === 0) return [name, precision, `did not run: ${failure}`, '', '', '', ''];
    const ratio = mine.length > 0 ? (median(rounds) / median(mine)).toFixed(2) : '';
    const times = [median(rounds), Math.min(...rounds), Math.max(...rounds)].map(ms => perTrial(ms, trials));
    return [name, precision, ...times, ratio, peakBytes > 0 ? formatMemory(peakBytes) : '–'];
  });
  return [['contender', 'setting', 'ms a trial (median)', 'min', 'max', 'times ours', 'peak memory'], ...rows];
}

/** For each setting of PyTorch: its fastest contender and how much faster this project is. */
export function verdicts(results: Result[], trials: number): string[] {
  const mine = ownRounds(results);
  return (Object.keys(settingTitles) as (keyof typeof settingTitles)[]).flatMap(setting => {
    const ran = results.filter(result => result.setting === setting && result.rounds.length > 0);
    if (ran.length === 0) return [];
    const best = ran.reduce((a, b) => (median(b.rounds) < median(a.rounds) ? b : a));
    const time = `${perTrial(median(best.rounds), trials)} ms a trial`;
    const ratio =
      mine.length > 0 ? `; LoRA Sweep is ${(median(best.rounds) / median(mine)).toFixed(2)} times as fast` : '';
    return [`Best of ${settingTitles[setting]}: ${best.name}, ${time}${ratio}.`];
  });
}

export function asText([head, ...rows]: string[][]): string {
  const all = [head!, ...rows];
  const widths = head!.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  return all
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function asMarkdown([head, ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...rows.map(line)].join('\n');
}
