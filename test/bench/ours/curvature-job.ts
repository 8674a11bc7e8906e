/** What the contenders of the curvature benchmark are told: blocks of one model, a fixed number of Lanczos iterations. */
import type {MethodName} from '../../../core/method/methods.ts';

export const probedMethods: MethodName[] = ['lora', 'pissa', 'milora', 'init-ab', 'dora'];

export interface CurvatureJob {
  /** Folder of the model. */
  model: string;
  methods: MethodName[];
  rank: number;
  /** Lanczos iterations of every block. */
  iterations: number;
  /** Rows of the loss, rows at a time, tokens a row: token i of all rows is (7·i + 3) mod vocabulary. */
  samples: number;
  batch: number;
  tokens: number;
  threads: number;
  /** Blocks (site numbers, seven a layer) of this process. */
  sites: number[];
}
