/** Folders of earlier runs: beside that of the sweep's present one, by its name and the time at which they began. */

const two = (number: number): string => String(number).padStart(2, '0');

/** `2026-12-01-0239`, in the machine's own time. */
function stampOf(at: Date): string {
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}`;
}

/** `desc@2026-12-01-0239` for a run in `desc` that began then; numbered where that is taken. */
export function earlierName(name: string, at: Date, isTaken: (name: string) => boolean): string {
  const dated = `${presentName(name)}@${stampOf(at)}`;
  for (let number = 1; ; number++) {
    const one = number === 1 ? dated : `${dated}-${number}`;
    if (!isTaken(one)) return one;
  }
}

const dated = /^(.+)@\d{4}-\d{2}-\d{2}-\d{4}(-\d+)?$/;

/** Whether a folder of this name has an earlier run. */
export function isEarlier(name: string): boolean {
  return dated.test(name);
}

/** The folder of the present run of the same sweep, by name. */
export function presentName(name: string): string {
  return dated.exec(name)?.[1] ?? name;
}
