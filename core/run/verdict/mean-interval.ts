/** How far a mean over seeds may be off. */
import {studentQuantile} from './student.ts';

/** Half of the 95 % confidence interval of a mean, by Student's t with n - 1 degrees of freedom; null with fewer than two seeds. */
export function meanHalfWidth({std, seeds}: {std: number | null; seeds: number}): number | null {
  return std === null || seeds < 2 ? null : (studentQuantile(0.95, seeds - 1) * std) / Math.sqrt(seeds);
}
