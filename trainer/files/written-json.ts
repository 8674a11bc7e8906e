/** JSON whose numbers stay as they are written: 2.0 is not 2, and long ones keep all their digits. */

/** A number that JavaScript would write in another way. */
export class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** Whether Python reads it as an int. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text);
  }
  toString(): string {
    return this.text;
  }
  /** What JSON.stringify writes: the nearest number that JavaScript has. */
  toJSON(): number {
    return Number(this.text);
  }
}

/** The parts of JSON text that is known to be whole. */
const part = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|[[\]{},:]/g;
/** Where a number may be that is written otherwise by JavaScript, or a key that it puts before others. */
const suspicious = /\d[.eE]|\d{16}|-0|"\d+"\s*:|__proto__/;

/** JSON.parse and `asWritten`. */
export function parseAsWritten(text: string): unknown {
  return asWritten(JSON.parse(text), text);
}

/**
 * What was parsed from `text`, with each number that JavaScript would write differently as a WrittenNumber.
 * @throws SyntaxError for an object with keys that are whole numbers in another order than by size, which would be lost
 */
export function asWritten(value: unknown, text: string): unknown {
  return suspicious.test(text) && mayDiffer(value) ? reread(text) : value;
}

/** Whether there is a number in it, or a key that looks like one. */
function mayDiffer(value: unknown): boolean {
  if (typeof value === 'number') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(mayDiffer);
  return Object.entries(value).some(([key, held]) => /^(\d+|__proto__)$/.test(key) || mayDiffer(held));
}

/** Whether JavaScript writes it so, and whether the value shows if it was written as an int: 1e+22 is a float. */
function isPlain(token: string): boolean {
  const value = Number(token);
  return String(value) === token && (/^-?\d+$/.test(token) || !Number.isInteger(value));
}

function reread(text: string): unknown {
  const parts = text.match(part) ?? [];
  let at = 0;
  return value();

  function value(): unknown {
    const token = parts[at++]!;
    switch (token[0]) {
      case '{':
        return object();
      case '[': {
        const items: unknown[] = [];
        while (parts[at] !== ']') {
          items.push(value());
          if (parts[at] === ',') at++;
        }
        at++;
        return items;
      }
      case '"':
      case 't':
      case 'f':
      case 'n':
        return JSON.parse(token);
      default:
        return isPlain(token) ? Number(token) : new WrittenNumber(token);
    }
  }

  function object(): unknown {
    const entries: [string, unknown][] = [];
    while (parts[at] !== '}') {
      const key: string = JSON.parse(parts[at]!);
      at += 2;
      entries.push([key, value()]);
      if (parts[at] === ',') at++;
    }
    at++;
    const made = Object.fromEntries(entries);
    const kept = Object.keys(made);
    const order = [...new Set(entries.map(([key]) => key))];
    if (!kept.every((key, i) => key === order[i])) {
      throw new SyntaxError(
        'keys that are whole numbers have to stand first and by size: another order cannot be kept',
      );
    }
    return made;
  }
}

/** A value with its WrittenNumbers as sets of their text, which may be sent to another thread: JSON has no sets. */
export function sendable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof WrittenNumber) return new Set([value.text]);
  return mapped(value, sendable);
}

/** What `sendable` was given. */
export function received(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Set) return new WrittenNumber(String([...value][0]));
  return mapped(value, received);
}

/** The same value where nothing in it changes. */
function mapped(value: object, change: (held: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(change);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([key, held]) => [key, held, change(held)] as const);
  return entries.every(([, held, now]) => held === now)
    ? value
    : Object.fromEntries(entries.map(([key, , now]) => [key, now]));
}
