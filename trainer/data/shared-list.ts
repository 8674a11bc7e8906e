/** A growing list of 32-bit numbers in memory that worker threads can share. */
import {SweepError} from '../../core/error.ts';

/** Places in a list are 32-bit numbers themselves. */
const most = 2 ** 31 - 1;

export class SharedList {
  private values = new Int32Array(new SharedArrayBuffer(1 << 12));
  length = 0;

  push(value: number): void {
    this.makeRoom(1);
    this.values[this.length++] = value;
  }

  /** The first `count` of `values`. */
  append(values: ArrayLike<number>, count: number): void {
    this.makeRoom(count);
    if (values instanceof Int32Array) this.values.set(values.subarray(0, count), this.length);
    else for (let i = 0; i < count; i++) this.values[this.length + i] = values[i]!;
    this.length += count;
  }

  /** The list so far, without a copy. Memory that was never written to costs nothing. */
  view(): Int32Array<SharedArrayBuffer> {
    return this.values.subarray(0, this.length);
  }

  /** @throws SweepError `bad-data` for more than 2^31 - 1 numbers */
  private makeRoom(count: number): void {
    const needed = this.length + count;
    if (needed <= this.values.length) return;
    if (needed > most) throw new SweepError('bad-data', `More than ${most} tokens are too many; set data.rows.`);
    const larger = new Int32Array(new SharedArrayBuffer(4 * Math.min(most, Math.max(needed, 2 * this.values.length))));
    larger.set(this.values);
    this.values = larger;
  }
}
