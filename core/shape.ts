/** Whether a value read from a file has the shape that is expected of it: checks that are made of checks. */

export type Check = (value: unknown) => boolean;

export const text: Check = value => typeof value === 'string';
/** JSON can write numbers that are too large for one. */
export const number: Check = value => Number.isFinite(value);
export const numberOrNull: Check = value => value === null || number(value);
/** A whole number from 0. */
export const count: Check = value => Number.isSafeInteger(value) && Number(value) >= 0;
/** Milliseconds since 1970 that a date can have. */
export const time: Check = value => number(value) && Math.abs(Number(value)) <= 8.64e15;
export const flag: Check = value => typeof value === 'boolean';
/** A name that files are called by: it leads into no other folder. */
export const fileName: Check = value =>
  typeof value === 'string' && value !== '.' && value !== '..' && !/[/\\\0]/.test(value);

export const optional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value);
export const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value);
export const listOf =
  (item: Check): Check =>
  value =>
    Array.isArray(value) && value.every(item);
export const oneOf =
  (...values: string[]): Check =>
  value =>
    typeof value === 'string' && values.includes(value);
/** An object with these fields, and perhaps others. */
export const record = (fields: Record<string, Check>): Check => {
  const entries = Object.entries(fields);
  return value => isRecord(value) && entries.every(([key, check]) => check(value[key]));
};
/** An object all of whose values are alike. */
export const recordOf =
  (item: Check): Check =>
  value =>
    isRecord(value) && Object.values(value).every(item);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
