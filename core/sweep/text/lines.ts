import type {Position, Range} from '../problem.ts';

/** Turns offsets of one text into LSP positions and back. Lines end with \n, \r\n or \r, as LSP counts them. */
export class Lines {
  readonly text: string;
  /** Offsets of the first character of each line. */
  private readonly starts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (const lineEnd of text.matchAll(/\r\n|\n|\r/g)) this.starts.push(lineEnd.index + lineEnd[0].length);
  }

  /** The place of an offset; offsets outside the text are moved to its ends. */
  position(offset: number): Position {
    const within = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= within) low = middle;
      else high = middle - 1;
    }
    return {line: low, character: within - this.starts[low]!};
  }

  range(start: number, end: number): Range {
    return {start: this.position(start), end: this.position(end)};
  }

  /** The offset of a place; a character beyond its line counts as the line's end, a line beyond the text as the text's end. */
  offset({line, character}: Position): number {
    const start = this.starts[line];
    if (start === undefined) return line < 0 ? 0 : this.text.length;
    const next = this.starts[line + 1];
    const end = next === undefined ? this.text.length : next - (this.text.slice(next - 2, next) === '\r\n' ? 2 : 1);
    return Math.min(start + Math.max(0, character), end);
  }

  /** The text of a range. */
  slice({start, end}: Range): string {
    return this.text.slice(this.offset(start), this.offset(end));
  }
}

/** Whether `a` stands before `b` in the text. */
export function before(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

/** Whether a range holds a position; both of its ends count, as for a cursor. */
export function holds({start, end}: Range, position: Position): boolean {
  return !before(position, start) && !before(end, position);
}
