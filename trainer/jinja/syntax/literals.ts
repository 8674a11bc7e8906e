/** Literals of templates, as Python reads them. */
import {TemplateError} from '../error.ts';

const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const digits: Readonly<Record<string, number>> = {x: 2, u: 4, U: 8};

/** The text that a literal stands for, by the rules of Python's unicode-escape; an unknown escape stays as it is. */
export function unescaped(literal: string, line: number): string {
  return literal.replaceAll(/\\(?:([0-7]{1,3})|([xuU])([0-9a-fA-F]*)|N\{([^}]*)\}|([\s\S]))/g, (whole, ...groups) => {
    const [octal, kind, hex, named, other]: (string | undefined)[] = groups;
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    if (named !== undefined) throw new TemplateError(`line ${line}: the escape ${whole} is not supported`);
    if (kind !== undefined) {
      const wanted = digits[kind]!;
      const code = Number.parseInt((hex ?? '').slice(0, wanted), 16);
      if ((hex ?? '').length < wanted || code > 0x10ffff) {
        throw new TemplateError(`line ${line}: the escape ${whole} is not whole`);
      }
      return String.fromCodePoint(code) + (hex ?? '').slice(wanted);
    }
    return escapes[other!] ?? whole;
  });
}
