/** A growing list of 32-bit numbers in memory that worker threads can share. */
export class SharedList {
  private values = new Int32Array(new SharedArrayBuffer(1 << 12));
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) this.grow();
    this.values[this.length++] = value;
  }

  /** The list so far, without a copy. Memory that was never written to costs nothing. */
  view(): Int32Array<SharedArrayBuffer> {
    return this.values.subarray(0, this.length);
  }

  private grow(): void {
    const larger = new Int32Array(new SharedArrayBuffer(this.values.byteLength * 2));
    larger.set(this.values);
    this.values = larger;
  }
}
