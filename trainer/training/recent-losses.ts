/** The last training losses of a pack, as many as its tails are still made of: they go on with its checkpoints. */
import {mean} from '../../core/numbers.ts';
import {tailSteps} from '../../core/run/series/tail.ts';

export class RecentLosses {
  /** By trial, of the last steps, rising. */
  readonly #lanes: number[][];

  /** @param values of a checkpoint: [trials · steps]; none at the start */
  constructor(trials: number, values: Float32Array = new Float32Array(0)) {
    const size = values.length / trials;
    this.#lanes = Array.from({length: trials}, (_, lane) => [...values.subarray(lane * size, (lane + 1) * size)]);
  }

  /** @param step updates done with this one */
  add(step: number, losses: Float32Array): void {
    const kept = tailSteps(step);
    this.#lanes.forEach((lane, i) => {
      lane.push(losses[i]!);
      lane.splice(0, lane.length - kept);
    });
  }

  /**
   * The mean loss of a trial's last tenth after so many updates; null where it is not finite, undefined where it is not known,
   * because the trial goes on from a checkpoint of an earlier version.
   */
  tail(trial: number, steps: number): number | null | undefined {
    const lane = this.#lanes[trial]!;
    const count = tailSteps(steps);
    if (steps === 0 || lane.length < count) return undefined;
    const loss = mean(lane.slice(-count));
    return Number.isFinite(loss) ? loss : null;
  }

  /** For a checkpoint: [trials · steps]. */
  values(): Float32Array {
    return Float32Array.from(this.#lanes.flat());
  }
}
