/** Parts of the page that stay as they are from one drawing to the next, as long as what they show is the same. */
import type {Plot} from './elements.ts';

interface Part {
  /** What it was made of. */
  of: readonly unknown[];
  elements: HTMLElement[];
  plots: Plot[];
}

export class KeptSections {
  readonly #parts = new Map<string, Part>();

  /** The part of this name with its charts: the one that is known where `of` has the very same values, else one that is made. */
  get(name: string, of: readonly unknown[], make: (plots: Plot[]) => HTMLElement[]): Part {
    const known = this.#parts.get(name);
    if (known?.of.every((value, place) => value === of[place])) return known;
    const plots: Plot[] = [];
    const part = {of, elements: make(plots), plots};
    this.#parts.set(name, part);
    return part;
  }
}
