import type {Size} from '../../core/method/method.ts';

/** What the trials of a pack have in common beyond their method: its size, its strength, and keys of its own. */
export interface Form extends Size {
  /** s = alpha / rank */
  scale: number;
  /** Which of several published forms of the method. */
  variant?: string | undefined;
}

/** Values by name, row-major. */
export type Parts = Readonly<Record<string, Float32Array>>;
