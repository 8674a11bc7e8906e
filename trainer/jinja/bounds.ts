/** What one value of a template may hold: more than any chat needs, less than fills a machine's memory. */
import {TemplateError} from './error.ts';

/** Entries of one list, characters of one text, bits of one integer. */
const most = {items: 1_000_000, characters: 1 << 22, bits: 4096n} as const;
const largest = 1n << most.bits;

/** A list of this many entries is made, or about to be. */
export function refuseItems(count: number): void {
  if (count > most.items) throw new TemplateError('a list of more than a million entries');
}

/** A text of this many characters is made, or about to be. */
export function refuseCharacters(count: number): void {
  if (count > most.characters) throw new TemplateError('a text of more than four million characters');
}

export function refuseLarge(integer: bigint): void {
  if (integer > largest || integer < -largest) throw new TemplateError(`an integer of more than ${most.bits} bits`);
}

/** Parts with a separator between them. */
export function joinedText(parts: readonly string[], separator: string): string {
  let length = separator.length * Math.max(0, parts.length - 1);
  for (const part of parts) length += part.length;
  refuseCharacters(length);
  return parts.join(separator);
}

/** So many blanks; none for a number below nought. */
export function blanks(count: number): string {
  refuseCharacters(count);
  return ' '.repeat(Math.max(0, count));
}
