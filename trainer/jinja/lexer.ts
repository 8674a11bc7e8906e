/**
 * The source of a template as tokens, as Jinja2's lexer cuts it with trim_blocks and lstrip_blocks (jinja2/lexer.py, 3.1).
 * Line ends become \n, and one at the end of the template does not count.
 */
import {TemplateError} from './error.ts';
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
  const source = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let counted = 0;
  const lineAt = (place: number): number => {
    for (; counted < place; counted++) if (source.charCodeAt(counted) === 10) line++;
    return line;
  };
  const add = (type: Token['type'], value: string, place = at): void => {
    tokens.push({type, value, line: lineAt(place)});
  };
  const matched = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const skipSpace = (): void => {
    at += matched(spaces)?.length ?? 0;
  };
  /** Whether the last tag ended with a line: what stands before the next tag then begins one. */
  let lineStarts = true;

  const addData = (data: string, sign: string, isExpression: boolean): void => {
    let kept = data;
    if (sign === '-') kept = data.replace(trailing, '');
    else if (sign !== '+' && !isExpression) {
      const begins = data.lastIndexOf('\n') + 1;
      if ((begins > 0 || lineStarts) && blank.test(data.slice(begins))) kept = data.slice(0, begins);
    }
    if (kept !== '') add('data', kept);
  };
  /** Takes what follows the end of a block or comment. */
  const afterTag = (sign: string): void => {
    const end = at;
    if (sign === '-') skipSpace();
    else if (sign !== '+' && source[at] === '\n') at++;
    lineStarts = at > end && source[at - 1] === '\n';
  };

  while (at < source.length) {
    tagStart.lastIndex = at;
    const tag = tagStart.exec(source);
    if (!tag) {
      add('data', source.slice(at));
      break;
    }
    const start = tag.index;
    const kind = tag[1]!;
    const data = source.slice(at, start);
    const sign = /[-+]/.test(source[start + 2] ?? '') ? source[start + 2]! : '';
    raw.lastIndex = start;
    const isRaw = kind === '%' ? raw.exec(source) : null;
    if (isRaw) {
      addData(data, sign, false);
      at = start + isRaw[0].length;
      if (isRaw[1] === '-') skipSpace();
      lineStarts = source[at - 1] === '\n';
      endRaw.lastIndex = at;
      const end = endRaw.exec(source);
      if (!end) throw new TemplateError(`line ${lineAt(start)}: {% raw %} without {% endraw %}`);
      addData(source.slice(at, end.index), end[1]!, false);
      at = end.index + end[0].length;
      afterTag(end[2]!);
      continue;
    }
    addData(data, sign, kind === '{');
    at = start + 2 + sign.length;
    if (kind === '#') {
      commentEnd.lastIndex = at;
      const end = commentEnd.exec(source);
      if (!end) throw new TemplateError(`line ${lineAt(start)}: a comment without its end`);
      at = end.index + end[0].length;
      afterTag(end[1]!);
      continue;
    }
    add(kind === '%' ? 'begin' : 'open', source.slice(start, at), start);
    inside(kind === '%' ? '%}' : '}}', kind === '%');
  }
  add('eof', '', source.length);
  return tokens;

  /** The tokens of a tag up to its end. */
  function inside(end: string, isBlock: boolean): void {
    const open: string[] = [];
    for (;;) {
      skipSpace();
      if (at >= source.length) throw new TemplateError(`line ${lineAt(at)}: the template ends inside a tag`);
      if (open.length === 0) {
        const sign = source[at] === '-' || (isBlock && source[at] === '+') ? source[at]! : '';
        if (source.startsWith(end, at + sign.length)) {
          add(isBlock ? 'end' : 'close', end);
          at += sign.length + end.length;
          if (isBlock) afterTag(sign);
          else {
            const before = at;
            if (sign === '-') skipSpace();
            lineStarts = at > before && source[at - 1] === '\n';
          }
          return;
        }
      }
      const found =
        (source[at - 1] !== '.' ? taken('float', float) : undefined) ??
        taken('integer', integer) ??
        taken('name', name) ??
        taken('string', string) ??
        taken('operator', operator);
      if (found === undefined) {
        throw new TemplateError(`line ${lineAt(at)}: unexpected ${JSON.stringify(source.slice(at, at + 1))} in a tag`);
      }
      if (found in closing) open.push(closing[found]!);
      else if (/^[)\]}]$/.test(found) && open.pop() !== found) {
        throw new TemplateError(`line ${lineAt(at)}: unexpected ${found} in a tag`);
      }
    }
  }

  function taken(type: Token['type'], pattern: RegExp): string | undefined {
    const found = matched(pattern);
    if (found === undefined) return undefined;
    add(type, type === 'string' ? unescaped(found.slice(1, -1), lineAt(at)) : found);
    at += found.length;
    return type === 'operator' ? found : '';
  }
}
