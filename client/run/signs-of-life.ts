/**
 * Whether a run that cannot be connected to is worked on: by what its folder shows while it is watched. Where its process is, and what
 * that machine is called, does not matter.
 */

/** A process that works writes its lock anew every ten seconds, and events more often: so long a first sign may take, in milliseconds. */
const firstSignWithin = 25_000;
/** Without a sign for so long nobody works on it any more; as the trainer's own lock has it. */
const silentFor = 60_000;

export class SignsOfLife {
  /** When the lock was written last, by the file system's clock; null: there is none, or its process is known to be gone. */
  #lockedAt: number | null = null;
  /** Up to then it counts as alive, by this process's clock. */
  #until = 0;

  /** Tells of the lock as it is now. */
  locked(lockedAt: number | null, now: number): void {
    if (lockedAt !== null && lockedAt !== this.#lockedAt)
      this.#until = now + (this.#lockedAt === null ? firstSignWithin : silentFor);
    this.#lockedAt = lockedAt;
  }

  /** Tells that the events grew. */
  grew(now: number): void {
    if (this.#lockedAt !== null) this.#until = now + silentFor;
  }

  isAlive(now: number): boolean {
    return this.#lockedAt !== null && now < this.#until;
  }
}
