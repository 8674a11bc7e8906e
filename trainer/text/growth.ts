/** A tokenizer's normalizer may write a text anew, but not into one that fills the memory. */
import {SweepError} from '../../core/error.ts';

/** The part of the tokenizer library that is watched; what is not there is left alone. */
export interface NormalizingHub {
  normalizer: Normalizer | null;
}

interface Normalizer {
  config?: {type?: string; content?: unknown};
  normalize(text: string): string;
  /** Of a sequence. */
  normalizers?: (Normalizer | null)[];
}

/** A normalized text may have so many times its characters, and so many more; a replacement may make so many at most. */
const [mostTimes, mostMore, mostReplaced] = [32, 100_000, 1 << 26];

/** From now on a step of the normalizer that makes too much of a text throws a SweepError `bad-model`. */
export function boundGrowth<T extends NormalizingHub>(hub: T, file: string): T {
  const grows = (): SweepError =>
    new SweepError(
      'bad-model',
      `The normalizer of the tokenizer ${file} makes far more of a text than it was given; it is damaged, or made to do that.`,
      {file},
    );
  let most: number | undefined;
  const bound = (step: Normalizer): void => {
    const normalize = step.normalize.bind(step);
    const content = step.config?.type === 'Replace' ? String(step.config.content ?? '').length : 0;
    step.normalize = text => {
      const outermost = most === undefined;
      most ??= mostTimes * text.length + mostMore;
      try {
        if (content * (text.length + 1) > mostReplaced && content > mostTimes) throw grows();
        const made = normalize(text);
        if (made.length > most) throw grows();
        return made;
      } finally {
        if (outermost) most = undefined;
      }
    };
    for (const inner of step.normalizers ?? []) if (inner) bound(inner);
  };
  if (hub.normalizer) bound(hub.normalizer);
  return hub;
}
