/** Where a logarithmic axis has ticks, whatever part of it is shown. */

/** Fewer do not tell how the axis runs. */
const fewest = 3;

/** Powers of ten; with 2 and 5 where there are few of those; with all digits; at last round steps, as on a linear axis. */
export function logTicks(min: number, max: number): number[] {
  const some = [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]].map(digits => decades(digits, min, max));
  return some.find(ticks => ticks.length >= fewest) ?? roundSteps(min, max);
}

function decades(digits: readonly number[], min: number, max: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++)
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      if (value >= min && value <= max) ticks.push(value);
    }
  return ticks;
}

/** Three to eight of them. */
function roundSteps(min: number, max: number): number[] {
  const rough = (max - min) / 4;
  const power = Math.floor(Math.log10(rough));
  const step = [5, 2, 1].map(digit => digit * 10 ** power).find(size => size <= rough)!;
  const ticks: number[] = [];
  for (let k = Math.ceil(min / step); k * step <= max; k++) ticks.push(Number((k * step).toPrecision(6)));
  return ticks.filter(value => value >= min && value <= max);
}
