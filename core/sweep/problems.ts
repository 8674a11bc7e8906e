import type {Fix, Problem, ProblemCode, Range, Severity} from './problem.ts';
import {find} from './text/locate.ts';
import type {Node} from './text/nodes.ts';

/** Where something stands: the keys that lead to it, and its text. */
export interface Place {
  path: (string | number)[];
  range: Range;
}

/** More than this many problems help nobody; the rest is only counted. */
const mostProblems = 500;

const textStart: Range = {start: {line: 0, character: 0}, end: {line: 0, character: 0}};

/** Collects the problems of one file. */
export class Problems {
  private readonly found: Problem[] = [];
  private unlisted = 0;
  private root: Node | undefined;

  /** The text's values, once they are read: `at` and `firstOf` look places up in them. */
  within(root: Node): void {
    this.root = root;
  }

  /** Reports at the key of a path, or at its value where that has no key; what is not in the text is reported at its start. */
  at(path: Place['path'], code: ProblemCode, message: string, fixes: Fix[] = [], severity: Severity = 'error'): void {
    const found = find({root: this.root}, path);
    this.report(code, {path, range: found?.keyRange ?? found?.node.range ?? textStart}, message, fixes, severity);
  }

  /** The first of the paths that stands in the text; the whole text where none does. */
  firstOf(...paths: Place['path'][]): Place['path'] {
    return paths.find(path => find({root: this.root}, path)) ?? [];
  }

  report(
    code: ProblemCode,
    {path, range}: Place,
    message: string,
    fixes: Fix[] = [],
    severity: Severity = 'error',
  ): void {
    if (this.full) this.unlisted += 1;
    else this.found.push({code, severity, message, path, range, fixes});
  }

  /** Whether something of this very path is known to be wrong. */
  isAt(path: Place['path']): boolean {
    return this.found.some(problem => keyName(problem.path) === keyName(path));
  }

  /** Whether further problems are only counted. */
  get full(): boolean {
    return this.found.length === mostProblems;
  }

  get anyError(): boolean {
    return this.unlisted > 0 || this.found.some(problem => problem.severity === 'error');
  }

  /** In the order of the text. */
  list(): Problem[] {
    const sorted = this.found.toSorted(
      ({range: {start: a}}, {range: {start: b}}) => a.line - b.line || a.character - b.character,
    );
    const last = sorted.at(-1);
    if (this.unlisted > 0 && last) {
      const message = `There are ${this.unlisted} more problems, which are not listed: mend these first.`;
      sorted.push({code: 'too-large', severity: 'error', message, path: [], range: last.range, fixes: []});
    }
    return sorted;
  }
}

/** Reports problems of a part of a file that is looked at as if it were a whole one, under the keys that lead to it. */
export class ProblemsWithin extends Problems {
  readonly #whole: Problems;
  readonly #pathOf: (path: Place['path']) => Place['path'];

  constructor(whole: Problems, pathOf: (path: Place['path']) => Place['path']) {
    super();
    this.#whole = whole;
    this.#pathOf = pathOf;
  }

  override report(code: ProblemCode, {path, range}: Place, message: string, fixes?: Fix[], severity?: Severity): void {
    this.#whole.report(code, {path: this.#pathOf(path), range}, message, fixes, severity);
  }

  override get full(): boolean {
    return this.#whole.full;
  }
}

/** A fix that replaces one piece of text. */
export function replacement(range: Range, text: string): Fix {
  return {title: `Change to ${text}`, edits: [{range, text}]};
}

/** What the user wrote, short enough for a message. */
export function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `'${line.length > 60 ? `${line.slice(0, 57)}...` : line}'`;
}

/** `a, b or c`. */
export function either(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** `methods.pissa.rank`, `evaluate[0].task`. */
export function keyName(path: readonly (string | number)[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index > 0 ? `.${key}` : key)).join('');
}
