/** What a task that generates is: how a row is asked, what is expected, and how an answer is judged. */

import type {FilterName} from '../../core/sweep/sweep.ts';
import type {Row} from '../data/read/row.ts';
import type {ProgramFinder} from './programs.ts';
import type {Sandbox} from './sandbox/sandbox.ts';
import type {Scorer} from './scorer.ts';

/** What a task may need to judge; each is opened when it is first asked for. */
export interface Tools {
  sandbox(): Sandbox;
  programs(): ProgramFinder;
  scorer(file: string): Scorer;
}

export interface Judged {
  /** What was found in the output; null where nothing was. */
  extracted: string | null;
  /** Right or wrong; a number from scorers that give one. */
  verdict: boolean | number;
  /** Why it is wrong, where that is known. */
  reason?: string;
  /** Of what is asked for in parts, how many were done. */
  parts?: {right: number; total: number};
  /** By each of the filters that were asked for, whether it is right. */
  filtered?: Partial<Record<FilterName, boolean>>;
}

export interface JudgeOptions {
  /** As the study's own script judges. */
  strict?: boolean | undefined;
  /** Of lm-evaluation-harness, beside the task's own rule. */
  filters?: readonly FilterName[] | undefined;
}

export interface Task {
  /** Texts after which nothing counts: an answer ends before them. */
  stop?: readonly string[];
  /** The instruction, before the template. */
  asked(row: Row): string;
  /** A right answer in the form that the data teaches. */
  expected(row: Row): string;
  /** Why a row cannot be judged here, and is not asked; null for one that can. */
  leftOut?(row: Row): string | null;
  judge(row: Row, output: string, tools: Tools, options?: JudgeOptions): Judged | Promise<Judged>;
}
