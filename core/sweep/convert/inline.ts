/** Values as a sweep file writes them in a line. */
import {stringify} from 'yaml';
import type {Free} from '../table/free.ts';
import {isMapping} from './tools.ts';

/** In one line: lists in brackets, mappings in braces. */
export function inline(value: Free): string {
  if (typeof value === 'number') return numberText(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isMapping(value))
    return `{${Object.entries(value)
      .map(([key, one]) => `${key}: ${inline(one)}`)
      .join(', ')}}`;
  return stringify(value).trim();
}

/** As people write rates: `2e-4`, and `0.01` or `1000` as they are. */
export function numberText(value: number): string {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6)) return String(value);
  return value.toExponential().replace('e+', 'e');
}
