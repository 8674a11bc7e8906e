/** Values of a row or of settings as a template sees them: JSON as Python's json module reads it. */

import {WrittenNumber} from '../files/written-json.ts';
import {TemplateError} from './error.ts';
import {Dict, type Key, type Value} from './values.ts';

/** `seen` hears of every dictionary that is made, with the object it was made of. */
export function toValue(value: unknown, seen?: (dict: Dict, from: object) => void): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') {
    if (/\p{Cs}/u.test(value))
      throw new TemplateError('half of a surrogate pair stands in a text; no tokenizer takes that');
    return value;
  }
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (value instanceof WrittenNumber) return value.isInteger ? BigInt(value.text) : Number(value.text);
  if (Array.isArray(value)) return value.map(item => toValue(item, seen));
  if (typeof value === 'object') {
    const dict = new Dict(Object.entries(value).map(([key, held]): [Key, Value] => [key, toValue(held, seen)]));
    seen?.(dict, value);
    return dict;
  }
  throw new TemplateError(`a value of type ${typeof value} is not supported`);
}
