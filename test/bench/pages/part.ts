/** A part of the benchmark: something measured beside its peers, in one go. */

export interface Picture {
  /** File in docs/pictures. */
  file: string;
  title: string;
  /** A bar each. */
  bars: {label: string; value: number; ours: boolean}[];
  unit: string;
}

export interface Section {
  title: string;
  /** What was done, before the table. */
  introduction?: string;
  /** The first row is the head. */
  table: string[][];
  /** What follows from it. */
  sentences: string[];
  picture?: Picture;
}

export interface PartOptions {
  /** Fewer rounds, cases and contenders: enough for each ratio, roughly. */
  quick: boolean;
  /** Contenders with this in their names, besides this project. */
  only: string;
  /** Cases with this in their names, where a part has several. */
  case: string;
  /** For the person who waits. */
  say(line: string): void;
}

export interface Part {
  /** What is compared with what, for `--help`. */
  summary: string;
  /** Its page in docs; absent: benchmarks.md. */
  page?: string;
  /** What a quick run leaves out of it; undefined where it leaves out the whole part. */
  leftOut: string | undefined;
  measure(options: PartOptions): Promise<Section[]>;
}
