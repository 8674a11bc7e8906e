/** What a template has written so far, and which parts of it are marked. */

/** A part of a text, from `start` to before `end`. */
export interface Span {
  start: number;
  end: number;
}

/** What was written in a turn of a loop over watched values. */
export interface Region extends Span {
  of: object;
}

export class Output {
  readonly #parts: string[] = [];
  length = 0;
  /** Between {% generation %} and {% endgeneration %}. */
  readonly spans: Span[] = [];
  readonly regions: Region[] = [];

  write(text: string): void {
    this.#parts.push(text);
    this.length += text.length;
  }

  /** Takes over what was written elsewhere. */
  append({text, spans, regions}: Written): void {
    const moved = <T extends Span>(span: T): T => ({
      ...span,
      start: span.start + this.length,
      end: span.end + this.length,
    });
    this.spans.push(...spans.map(moved));
    this.regions.push(...regions.map(moved));
    this.write(text);
  }

  end(): Written {
    const {spans, regions} = this;
    return {text: this.#parts.join(''), spans, regions};
  }
}

export interface Written {
  text: string;
  spans: readonly Span[];
  regions: readonly Region[];
}
