/** The tokens of a template, read one after another. */
import {TemplateError} from '../error.ts';
import {type Token, tokenize} from './lexer.ts';

export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @throws TemplateError where the source holds what is no token */
  constructor(source: string) {
    this.#tokens = tokenize(source);
  }

  current(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The one after the current one. */
  look(): Token {
    return this.#tokens[this.#at + 1] ?? this.current();
  }

  /** The current one, left behind. */
  next(): Token {
    return this.#tokens[this.#at++]!;
  }

  is(type: Token['type'], value?: string): boolean {
    const token = this.current();
    return token.type === type && (value === undefined || token.value === value);
  }

  isOperator(value: string): boolean {
    return this.is('operator', value);
  }

  isName(value: string): boolean {
    return this.is('name', value);
  }

  /** Leaves the current one behind where it is this one; whether it was. */
  skip(type: Token['type'], value: string): boolean {
    if (!this.is(type, value)) return false;
    this.#at++;
    return true;
  }

  /** @throws TemplateError where something else stands here */
  expect(type: Token['type'], value?: string): Token {
    return this.is(type, value) ? this.next() : this.fail(`${value ?? type} expected, not ${shown(this.current())}`);
  }

  /** @throws TemplateError with the line and what is wrong there */
  fail(what: string, line = this.current().line): never {
    throw new TemplateError(`line ${line}: ${what}`);
  }
}

/** A token as messages name it. */
export function shown({type, value}: Token): string {
  return type === 'eof' ? 'the end of the template' : JSON.stringify(value);
}
