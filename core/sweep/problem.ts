/** A place in the text, 0-based as in LSP; `character` counts UTF-16 units. */
export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export type Severity = 'error' | 'warning' | 'information';

/** A textual change that would mend a problem, or (without edits) a model of the hub that is to be fetched. */
export interface Fix {
  title: string;
  edits: {range: Range; text: string}[];
  /** Its hub id. */
  fetch?: string;
}

/** Something wrong in a sweep file. `path` names the key (`['methods', 'pissa', 'rank']`), `range` the text. */
export interface Problem {
  code: ProblemCode;
  severity: Severity;
  message: string;
  path: (string | number)[];
  range: Range;
  fixes: Fix[];
}

/** Every code a problem can have; each is explained in docs/problems.md. */
export const problemCodes = [
  'syntax',
  'duplicate-key',
  'unknown-key',
  'unknown-method',
  'missing-key',
  'wrong-type',
  'out-of-range',
  'unknown-value',
  'empty-list',
  'duplicate-value',
  'grid-upside-down',
  'too-many-trials',
  'bad-expression',
  'not-yet',
  'alias-bomb',
  'too-large',
  'data/missing-file',
  'data/missing-column',
  'data/bad-rows',
  'data/bad-template',
  'data/long-rows',
  'data/overlap',
  'model/missing',
  'model/bad',
  'model/end-of-text',
  'model/stored-type',
  'model/unsupported',
  'model/unknown-target',
  'model/rank-too-large',
  'model/bad-blocks',
  'model/bad-adapter',
  'resource/memory',
  'resource/time',
  'resource/precision',
  'results/changed',
  'fairness/one-rate',
  'fairness/narrow-grid',
  'fairness/coarse-grid',
  'fairness/few-seeds',
  'fairness/unequal-budgets',
  'fairness/one-value',
  'fairness/unequal-alpha',
  'fairness/edge-peak',
  'search/no-metric',
  'search/no-probe',
  'search/scan-in-warmup',
  'search/few-rates',
  'search/workers',
] as const;

export type ProblemCode = (typeof problemCodes)[number];
