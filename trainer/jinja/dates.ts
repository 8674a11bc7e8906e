/** A day as Python's strftime writes it in the C locale. */
import {TemplateError} from './error.ts';

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Of a date in UTC. */
export function strftime(date: Date, format: string): string {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const two = (value: number): string => String(value).padStart(2, '0');
  const ofYear = (date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000;
  const parts: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    A: () => days[date.getUTCDay()]!,
    a: () => days[date.getUTCDay()]!.slice(0, 3),
    B: () => months[month]!,
    b: () => months[month]!.slice(0, 3),
    d: () => two(day),
    e: () => String(day).padStart(2),
    F: () => `${year}-${two(month + 1)}-${two(day)}`,
    f: () => '000000',
    H: () => two(hour),
    h: () => months[month]!.slice(0, 3),
    I: () => two(hour % 12 || 12),
    j: () => String(Math.floor(ofYear) + 1).padStart(3, '0'),
    M: () => two(minute),
    m: () => two(month + 1),
    n: () => '\n',
    p: () => (hour < 12 ? 'AM' : 'PM'),
    R: () => `${two(hour)}:${two(minute)}`,
    S: () => two(second),
    T: () => `${two(hour)}:${two(minute)}:${two(second)}`,
    t: () => '\t',
    u: () => String(date.getUTCDay() || 7),
    w: () => String(date.getUTCDay()),
    X: () => `${two(hour)}:${two(minute)}:${two(second)}`,
    x: () => `${two(month + 1)}/${two(day)}/${two(year % 100)}`,
    Y: () => String(year),
    y: () => two(year % 100),
    Z: () => '',
    z: () => '',
  };
  return format.replaceAll(/%(-?)([\s\S])/g, (whole, flag: string, kind: string) => {
    const part = parts[kind]?.();
    if (part === undefined) throw new TemplateError(`strftime_now: ${whole} is not supported`);
    return flag ? part.replace(/^[0 ]+(?=\d)/, '') : part;
  });
}
