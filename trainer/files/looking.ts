/**
 * Which file is being looked at, told to whoever watches this process: what hangs in a stranger's file says nothing any
 * more, but what it said last names the file.
 */

/** Told at once of another file, and of the same one this often (milliseconds). */
const interval = 200;

let tell: ((file: string) => void) | undefined;
let last = '';
let told = 0;

/** From now on `listener` hears of every file, and now and then that work on it goes on. */
export function watchLooks(listener: (file: string) => void): void {
  tell = listener;
}

/** A sign of life: this file is opened, or one more of its rows is at hand. */
export function lookingAt(file: string): void {
  if (tell === undefined) return;
  const now = performance.now();
  if (file === last && now - told < interval) return;
  [last, told] = [file, now];
  tell(file);
}
