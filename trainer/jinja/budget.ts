/** What a template makes of one conversation, all in all. */
import {refuseCharacters, refuseItems, refuseLarge} from './bounds.ts';
import {TemplateError} from './error.ts';
import {Dict, Tuple, type Value} from './values.ts';

/** Of all lists and texts that one rendering makes, those it throws away included. */
const most = {items: 4_000_000, characters: 1 << 26} as const;

/** Of one rendering. */
export class Budget {
  #items = 0;
  #characters = 0;

  /** The value, counted. `share`: the part of a text that takes memory of its own. */
  made<T extends Value>(value: T, share = 1): T {
    if (typeof value === 'string') this.#text(value.length, share);
    else if (Array.isArray(value)) this.items(value.length);
    else if (value instanceof Tuple) this.items(value.items.length);
    else if (value instanceof Dict) this.items(value.entries.size);
    else if (typeof value === 'bigint') refuseLarge(value);
    return value;
  }

  items(count: number): void {
    refuseItems(count);
    this.#items += count;
    if (this.#items > most.items) throw new TemplateError('lists of more than four million entries altogether');
  }

  #text(length: number, share: number): void {
    refuseCharacters(length);
    this.#characters += length * share;
    if (this.#characters > most.characters)
      throw new TemplateError('texts of more than 67 million characters altogether');
  }
}
