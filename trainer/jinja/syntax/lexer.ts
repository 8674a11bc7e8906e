/**
 * The source of a template as tokens, as Jinja2's lexer cuts it with trim_blocks and lstrip_blocks (jinja2/lexer.py, 3.1).
 * Line ends become \n, and one at the end of the template does not count.
 */
import {TemplateError} from '../error.ts';
import {unescaped} from './literals.ts';

export interface Token {
  /** `data`: text outside of tags; `begin`, `end`: of a block; `open`, `close`: of an expression. */
  type: 'data' | 'begin' | 'end' | 'open' | 'close' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'eof';
  value: string;
  line: number;
}

/** What Python's \s and str.isspace match. */
export const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const spaces = new RegExp(`[${space}]*`, 'y');
const blank = new RegExp(`^[${space}]+$`);
const trailing = new RegExp(`[${space}]+$`);
const tagStart = /\{([%{#])/g;
const raw = new RegExp(`\\{%[-+]?[${space}]*raw[${space}]*(-?)%\\}`, 'y');
const endRaw = new RegExp(`\\{%([-+]?)[${space}]*endraw[${space}]*([-+]?)%\\}`, 'g');
const commentEnd = /([-+]?)#\}/g;

/** In this order: a number with a point before one without, a word last but the operators. */
const float = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const name = /[\p{L}\p{N}\p{M}_]+/uy;
const string = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const operator = /\/\/|\*\*|==|!=|>=|<=|[+\-/*%~[\](){}><=.:|,;]/y;

const closing: Readonly<Record<string, string>> = {'(': ')', '[': ']', '{': '}'};

/** @throws TemplateError where a tag is not closed, or holds what is no token */
export function tokenize(text: string): Token[] {
  return new Lexer(text.replace(/\r\n?/g, '\n').replace(/\n$/, '')).tokens();
}

/** One walk through a source: its place in it, and the tokens so far. */
class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** Characters whose lines are counted. */
  #counted = 0;
  /** Whether the last tag ended with a line: what stands before the next tag then begins one. */
  #lineStarts = true;

  constructor(source: string) {
    this.#source = source;
  }

  tokens(): Token[] {
    while (this.#at < this.#source.length) this.#dataAndTag();
    this.#add('eof', '', this.#source.length);
    return this.#tokens;
  }

  /** What stands before the next tag, and the tag; the rest where there is none. */
  #dataAndTag(): void {
    const source = this.#source;
    tagStart.lastIndex = this.#at;
    const tag = tagStart.exec(source);
    if (!tag) {
      this.#add('data', source.slice(this.#at));
      this.#at = source.length;
      return;
    }
    const start = tag.index;
    const kind = tag[1]!;
    const data = source.slice(this.#at, start);
    const sign = /[-+]/.test(source[start + 2] ?? '') ? source[start + 2]! : '';
    raw.lastIndex = start;
    const isRaw = kind === '%' ? raw.exec(source) : null;
    this.#addData(data, sign, kind === '{');
    if (isRaw) {
      this.#raw(start, isRaw);
      return;
    }
    this.#at = start + 2 + sign.length;
    if (kind === '#') {
      commentEnd.lastIndex = this.#at;
      this.#afterTag(commentEnd.exec(source) ?? this.#fail('a comment without its end', start), 1);
      return;
    }
    this.#add(kind === '%' ? 'begin' : 'open', source.slice(start, this.#at), start);
    this.#inside(kind === '%' ? '%}' : '}}', kind === '%');
  }

  /** What stands between {% raw %} and {% endraw %}, tags and all. */
  #raw(start: number, [whole, sign]: RegExpExecArray): void {
    this.#at = start + whole.length;
    if (sign === '-') this.#skipSpace();
    this.#lineStarts = this.#source[this.#at - 1] === '\n';
    endRaw.lastIndex = this.#at;
    const end = endRaw.exec(this.#source) ?? this.#fail('{% raw %} without {% endraw %}', start);
    this.#addData(this.#source.slice(this.#at, end.index), end[1]!, false);
    this.#afterTag(end, 2);
  }

  /** The tokens of a tag up to its end. */
  #inside(end: string, isBlock: boolean): void {
    const open: string[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#at >= this.#source.length) this.#fail('the template ends inside a tag');
      if (open.length === 0 && this.#ended(end, isBlock)) return;
      const found = this.#token();
      if (found in closing) open.push(closing[found]!);
      else if (/^[)\]}]$/.test(found) && open.pop() !== found) this.#fail(`unexpected ${found} in a tag`);
    }
  }

  /** Whether the tag ends here; its end is taken then. */
  #ended(end: string, isBlock: boolean): boolean {
    const here = this.#source[this.#at];
    const sign = here === '-' || (isBlock && here === '+') ? here : '';
    if (!this.#source.startsWith(end, this.#at + sign.length)) return false;
    this.#add(isBlock ? 'end' : 'close', end);
    this.#at += sign.length + end.length;
    this.#behind(sign, isBlock);
    return true;
  }

  /** Takes one token of a tag; its text where it is an operator. */
  #token(): string {
    const found =
      (this.#source[this.#at - 1] !== '.' ? this.#taken('float', float) : undefined) ??
      this.#taken('integer', integer) ??
      this.#taken('name', name) ??
      this.#taken('string', string) ??
      this.#taken('operator', operator);
    const character = this.#source.slice(this.#at, this.#at + 1);
    return found ?? this.#fail(`unexpected ${JSON.stringify(character)} in a tag`);
  }

  #taken(type: Token['type'], pattern: RegExp): string | undefined {
    const found = this.#matched(pattern);
    if (found === undefined) return undefined;
    this.#add(type, type === 'string' ? unescaped(found.slice(1, -1), this.#lineAt(this.#at)) : found);
    this.#at += found.length;
    return type === 'operator' ? found : '';
  }

  #addData(data: string, sign: string, isExpression: boolean): void {
    let kept = data;
    if (sign === '-') kept = data.replace(trailing, '');
    else if (sign !== '+' && !isExpression) {
      const begins = data.lastIndexOf('\n') + 1;
      if ((begins > 0 || this.#lineStarts) && blank.test(data.slice(begins))) kept = data.slice(0, begins);
    }
    if (kept !== '') this.#add('data', kept);
  }

  /** Goes on behind the end of a comment or of raw text, whose sign is in this group. */
  #afterTag(end: RegExpExecArray, group: number): void {
    this.#at = end.index + end[0].length;
    this.#behind(end[group]!, true);
  }

  /** Takes what follows the end of a tag: all white space, or where it is no expression the end of the line. */
  #behind(sign: string, trims: boolean): void {
    const end = this.#at;
    if (sign === '-') this.#skipSpace();
    else if (trims && sign !== '+' && this.#source[this.#at] === '\n') this.#at++;
    this.#lineStarts = this.#at > end && this.#source[this.#at - 1] === '\n';
  }

  #skipSpace(): void {
    this.#at += this.#matched(spaces)?.length ?? 0;
  }

  #matched(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  #add(type: Token['type'], value: string, place = this.#at): void {
    this.#tokens.push({type, value, line: this.#lineAt(place)});
  }

  #lineAt(place: number): number {
    for (; this.#counted < place; this.#counted++) if (this.#source.charCodeAt(this.#counted) === 10) this.#line++;
    return this.#line;
  }

  #fail(what: string, place = this.#at): never {
    throw new TemplateError(`line ${this.#lineAt(place)}: ${what}`);
  }
}
