/** Typed reading of the keys of config.json. */
import {SweepError} from '../../core/error.ts';
import type {JsonObject} from '../files/json-file.ts';

/** Typed reading of one JSON object; null counts as absent, as in transformers. */
export class Keys {
  readonly raw: JsonObject;
  readonly file: string;

  constructor(raw: JsonObject, file: string) {
    this.raw = raw;
    this.file = file;
  }

  bad(what: string): SweepError {
    return new SweepError('bad-model', `In ${this.file} ${what}; fetch the model again or mend the file.`, {
      file: this.file,
    });
  }

  size(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback;
    if (value === undefined) throw this.bad(`${key} is missing`);
    if (Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31) return Number(value);
    throw this.bad(`${key} is ${show(value)} where a whole number above 0 belongs`);
  }

  positive(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback;
    if (value === undefined) throw this.bad(`${key} is missing`);
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw this.bad(`${key} is ${show(value)} where a number above 0 belongs`);
  }

  /** As many numbers above 0 as are asked for. */
  positives(key: string, count: number): number[] {
    const value = this.raw[key];
    if (Array.isArray(value) && value.length === count && value.every(entry => Number.isFinite(entry) && entry > 0))
      return value;
    throw this.bad(`${key} is ${show(value ?? null)} where a list of ${count} numbers above 0 belongs`);
  }

  /** 0 or more. */
  amount(key: string): number {
    const value = this.raw[key];
    if (value == null) throw this.bad(`${key} is missing`);
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw this.bad(`${key} is ${show(value)} where a number of at least 0 belongs`);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw[key] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.bad(`${key} is ${show(value)} where true or false belongs`);
  }

  /** A number, a list or null; -1, which older files write for "none", is left out. */
  tokenIds(key: string, fallback: number | readonly number[] | null): number[] {
    const written = this.raw[key];
    // Where several ids are the default, null stands for them.
    const value = written === undefined || (written === null && Array.isArray(fallback)) ? fallback : written;
    const ids = (Array.isArray(value) ? value : [value]).filter(id => id !== null && id !== -1);
    if (ids.every(id => Number.isInteger(id) && id >= 0 && id < 2 ** 31)) return ids;
    throw this.bad(`${key} is ${show(value)} where token ids belong`);
  }
}

export function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 80);
}
