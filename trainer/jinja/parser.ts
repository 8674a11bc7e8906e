/** Tokens to a syntax tree, by the grammar of Jinja2 (jinja2/parser.py, 3.1) with loop controls and {% generation %}. */
import {TemplateError} from './error.ts';
import {type Token, tokenize} from './lexer.ts';
import type {Arguments, Arithmetic, Comparison, Expression, FilterStep, Parameter, Statement, Target} from './nodes.ts';

/** Names that are values and cannot be assigned to. */
const constants: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Statements of Jinja2 that need other templates, or that transformers' environment has not. */
const absent: ReadonlySet<string> = new Set(['include', 'import', 'from', 'extends', 'block', 'autoescape', 'print']);

/**
 * The statements of a template.
 * @throws TemplateError with the line and what is wrong there
 */
export function parse(source: string): Statement[] {
  const tokens = tokenize(source);
  let at = 0;
  const current = (): Token => tokens[at]!;
  const look = (): Token => tokens[at + 1] ?? tokens[at]!;
  const next = (): Token => tokens[at++]!;
  const is = (type: Token['type'], value?: string): boolean =>
    current().type === type && (value === undefined || current().value === value);
  const isOperator = (value: string): boolean => is('operator', value);
  const isName = (value: string): boolean => is('name', value);
  const skip = (type: Token['type'], value: string): boolean => is(type, value) && at++ >= 0;
  const fail = (what: string, line = current().line): never => {
    throw new TemplateError(`line ${line}: ${what}`);
  };
  const shown = ({type, value}: Token): string => (type === 'eof' ? 'the end of the template' : JSON.stringify(value));
  const expect = (type: Token['type'], value?: string): Token => {
    if (is(type, value)) return next();
    return fail(`${value ?? type} expected, not ${shown(current())}`);
  };

  const statements = subparse([]);
  if (!is('eof')) fail(`unexpected ${shown(current())}`);
  return statements;

  /** Statements up to a block that begins with one of the names, which stays; to the end where there are none. */
  function subparse(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    for (;;) {
      if (is('data')) body.push({type: 'Data', text: next().value});
      else if (is('open')) {
        at++;
        const value = parseTuple();
        expect('close');
        body.push({type: 'Output', value});
      } else if (is('begin')) {
        if (look().type === 'name' && ends.includes(look().value)) {
          at++;
          return body;
        }
        at++;
        body.push(parseStatement());
        expect('end');
      } else {
        if (ends.length > 0) fail(`the template ends before {% ${ends.join(' %} or {% ')} %}`);
        return body;
      }
    }
  }

  function parseBody(...ends: string[]): Statement[] {
    skip('operator', ':');
    expect('end');
    return subparse(ends);
  }

  function parseStatement(): Statement {
    const {value: tag, line} = expect('name');
    switch (tag) {
      case 'for':
        return parseFor();
      case 'if':
        return parseIf();
      case 'set':
        return parseSet();
      case 'macro': {
        const {value: name} = expect('name');
        const parameters = parseParameters();
        const body = parseBody('endmacro');
        at++;
        return {type: 'Macro', name, parameters, body};
      }
      case 'call': {
        const parameters = isOperator('(') ? parseParameters() : [];
        const call = parseExpression();
        if (call.type !== 'Call') fail('a call expected', line);
        const body = parseBody('endcall');
        at++;
        return {type: 'CallBlock', call, parameters, body};
      }
      case 'filter': {
        const filters = parseFilters(true);
        const body = parseBody('endfilter');
        at++;
        return {type: 'FilterBlock', filters, body};
      }
      case 'with': {
        const values: [Target, Expression][] = [];
        while (!is('end')) {
          if (values.length > 0) expect('operator', ',');
          const target = parseTarget([]);
          expect('operator', '=');
          values.push([target, parseExpression()]);
        }
        const body = parseBody('endwith');
        at++;
        return {type: 'With', values, body};
      }
      case 'generation': {
        const body = parseBody('endgeneration');
        at++;
        return {type: 'Generation', body};
      }
      case 'break':
        return {type: 'Break'};
      case 'continue':
        return {type: 'Continue'};
      default:
        return fail(absent.has(tag) ? `{% ${tag} %} is not supported` : `there is no statement {% ${tag} %}`, line);
    }
  }

  function parseFor(): Statement {
    const target = parseTarget(['in']);
    if (target.type === 'Name' && target.name === 'loop') fail('loop is the name of the loop itself');
    expect('name', 'in');
    const over = parseTuple({condition: false, ends: ['recursive']});
    const test = skip('name', 'if') ? parseExpression() : undefined;
    if (isName('recursive')) fail('{% for … recursive %} is not supported');
    const body = parseBody('endfor', 'else');
    let otherwise: Statement[] = [];
    if (next().value === 'else') {
      otherwise = parseBody('endfor');
      at++;
    }
    return {type: 'For', target, over, test, body, otherwise};
  }

  function parseIf(): Statement {
    const branches: {test: Expression; body: Statement[]}[] = [];
    for (;;) {
      const test = parseTuple({condition: false});
      branches.push({test, body: parseBody('elif', 'else', 'endif')});
      const {value: tag} = next();
      if (tag === 'elif') continue;
      if (tag === 'endif') return {type: 'If', branches, otherwise: []};
      const otherwise = parseBody('endif');
      at++;
      return {type: 'If', branches, otherwise};
    }
  }

  function parseSet(): Statement {
    const target = parseTarget([], true);
    if (skip('operator', '=')) return {type: 'Set', target, value: parseTuple()};
    const filters = parseFilters(false);
    const body = parseBody('endset');
    at++;
    return {type: 'SetBlock', target, filters, body};
  }

  function parseTarget(ends: readonly string[], member = false): Target {
    const {line} = current();
    if (member && is('name') && look().type === 'operator' && look().value === '.') {
      const {value: namespace} = next();
      at++;
      return {type: 'Member', namespace, name: expect('name').value};
    }
    return targetOf(parseTuple({primary: true, ends}), line);
  }

  function targetOf(expression: Expression, line: number): Target {
    if (expression.type === 'Name') return {type: 'Name', name: expression.name};
    if (expression.type === 'Tuple') return {type: 'Tuple', items: expression.items.map(item => targetOf(item, line))};
    return fail('this cannot be assigned to', line);
  }

  function parseParameters(): Parameter[] {
    expect('operator', '(');
    const parameters: Parameter[] = [];
    while (!isOperator(')')) {
      if (parameters.length > 0) expect('operator', ',');
      const {value: name} = expect('name');
      if (constants.has(name)) fail(`${name} cannot be a parameter`);
      const value = skip('operator', '=') ? parseExpression() : undefined;
      if (!value && parameters.at(-1)?.value) fail('a parameter without a default follows one that has it');
      parameters.push({name, value});
    }
    at++;
    return parameters;
  }

  interface TupleRules {
    primary?: boolean;
    condition?: boolean;
    ends?: readonly string[];
    parentheses?: boolean;
  }

  function parseTuple({primary, condition = true, ends = [], parentheses}: TupleRules = {}): Expression {
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) expect('operator', ',');
      if (is('close') || is('end') || isOperator(')') || (is('name') && ends.includes(current().value))) break;
      items.push(primary ? parsePrimary() : condition ? parseExpression() : parseOr());
      if (!isOperator(',')) break;
      isTuple = true;
    }
    const [only] = items;
    if (isTuple) return {type: 'Tuple', items};
    if (only) return only;
    return parentheses ? {type: 'Tuple', items} : fail(`an expression expected, not ${shown(current())}`);
  }

  function parseExpression(): Expression {
    let expression = parseOr();
    while (skip('name', 'if')) {
      const test = parseOr();
      const otherwise = skip('name', 'else') ? parseExpression() : undefined;
      expression = {type: 'Condition', test, value: expression, otherwise};
    }
    return expression;
  }

  function parseOr(): Expression {
    let left = parseAnd();
    while (skip('name', 'or')) left = {type: 'Or', left, right: parseAnd()};
    return left;
  }

  function parseAnd(): Expression {
    let left = parseNot();
    while (skip('name', 'and')) left = {type: 'And', left, right: parseNot()};
    return left;
  }

  function parseNot(): Expression {
    return skip('name', 'not') ? {type: 'Not', operand: parseNot()} : parseCompare();
  }

  function parseCompare(): Expression {
    const first = parseSum();
    const others: {operator: Comparison; operand: Expression}[] = [];
    for (;;) {
      let operator: Comparison;
      if (is('operator') && comparisons.has(current().value)) operator = next().value as Comparison;
      else if (skip('name', 'in')) operator = 'in';
      else if (isName('not') && look().type === 'name' && look().value === 'in') {
        at += 2;
        operator = 'not in';
      } else break;
      others.push({operator, operand: parseSum()});
    }
    return others.length > 0 ? {type: 'Compare', first, others} : first;
  }

  function parseSum(): Expression {
    let left = parseConcat();
    while (isOperator('+') || isOperator('-')) {
      const operator = next().value as Arithmetic;
      left = {type: 'Arithmetic', operator, left, right: parseConcat()};
    }
    return left;
  }

  function parseConcat(): Expression {
    const items = [parseProduct()];
    while (skip('operator', '~')) items.push(parseProduct());
    return items.length > 1 ? {type: 'Concat', items} : items[0]!;
  }

  function parseProduct(): Expression {
    let left = parsePower();
    while (isOperator('*') || isOperator('/') || isOperator('//') || isOperator('%')) {
      const operator = next().value as Arithmetic;
      left = {type: 'Arithmetic', operator, left, right: parsePower()};
    }
    return left;
  }

  function parsePower(): Expression {
    let left = parseUnary();
    while (skip('operator', '**')) left = {type: 'Arithmetic', operator: '**', left, right: parseUnary()};
    return left;
  }

  function parseUnary(filters = true): Expression {
    let node: Expression;
    if (skip('operator', '-')) node = {type: 'Negative', operand: parseUnary(false)};
    else if (skip('operator', '+')) node = {type: 'Positive', operand: parseUnary(false)};
    else node = parsePrimary();
    node = parsePostfix(node);
    return filters ? parseFiltersAndTests(node) : node;
  }

  function parsePrimary(): Expression {
    const token = next();
    switch (token.type) {
      case 'name': {
        const value = constants.get(token.value);
        return value === undefined ? {type: 'Name', name: token.value} : {type: 'Const', value};
      }
      case 'string': {
        let value = token.value;
        while (is('string')) value += next().value;
        return {type: 'Const', value};
      }
      case 'integer':
        return {type: 'Const', value: BigInt(token.value.replaceAll('_', '').replace(/^0+(?=\d)/, ''))};
      case 'float':
        return {type: 'Const', value: Number(token.value.replaceAll('_', ''))};
      case 'operator':
        if (token.value === '(') {
          const inner = parseTuple({parentheses: true});
          expect('operator', ')');
          return inner;
        }
        if (token.value === '[') return {type: 'List', items: parseList(']', parseExpression)};
        if (token.value === '{') return {type: 'Dict', items: parseList('}', parsePair)};
    }
    return fail(`unexpected ${shown(token)}`, token.line);
  }

  function parseList<T>(end: string, one: () => T): T[] {
    const items: T[] = [];
    while (!isOperator(end)) {
      if (items.length > 0) expect('operator', ',');
      if (isOperator(end)) break;
      items.push(one());
    }
    at++;
    return items;
  }

  function parsePair(): [Expression, Expression] {
    const key = parseExpression();
    expect('operator', ':');
    return [key, parseExpression()];
  }

  function parsePostfix(node: Expression): Expression {
    let result = node;
    for (;;) {
      if (skip('operator', '.')) {
        const token = next();
        if (token.type === 'name') result = {type: 'Attribute', object: result, name: token.value};
        else if (token.type === 'integer')
          result = {type: 'Item', object: result, key: {type: 'Const', value: BigInt(token.value)}};
        else fail(`a name expected, not ${shown(token)}`, token.line);
      } else if (skip('operator', '[')) result = parseSubscript(result);
      else if (isOperator('(')) result = {type: 'Call', callee: result, args: parseArguments()};
      else return result;
    }
  }

  function parseSubscript(object: Expression): Expression {
    if (isOperator(']')) fail('an index expected');
    const bounds: (Expression | undefined)[] = [];
    let part = isOperator(':') ? undefined : parseExpression();
    if (isOperator(',')) fail('several indices are not supported');
    if (skip('operator', ']')) return {type: 'Item', object, key: part!};
    bounds.push(part);
    while (skip('operator', ':')) {
      part = isOperator(':') || isOperator(']') ? undefined : parseExpression();
      bounds.push(part);
    }
    if (bounds.length > 3) fail('a slice has three parts at most');
    expect('operator', ']');
    return {type: 'Slice', object, bounds};
  }

  function parseFiltersAndTests(node: Expression): Expression {
    let result = node;
    for (;;) {
      if (skip('operator', '|')) result = {type: 'Filter', operand: result, ...parseFilter()};
      else if (skip('name', 'is')) result = parseTest(result);
      else if (isOperator('(')) result = {type: 'Call', callee: result, args: parseArguments()};
      else return result;
    }
  }

  function parseDottedName(): string {
    let {value} = expect('name');
    while (skip('operator', '.')) value += `.${expect('name').value}`;
    return value;
  }

  function parseFilter(): FilterStep {
    const name = parseDottedName();
    return {name, args: isOperator('(') ? parseArguments() : {positional: [], named: []}};
  }

  function parseFilters(first: boolean): FilterStep[] {
    const filters = first ? [parseFilter()] : [];
    while (skip('operator', '|')) filters.push(parseFilter());
    return filters;
  }

  function parseTest(operand: Expression): Expression {
    const negated = skip('name', 'not');
    const name = parseDottedName();
    let args: Arguments = {positional: [], named: []};
    if (isOperator('(')) args = parseArguments();
    else if (
      (is('name') && !['else', 'or', 'and'].includes(current().value)) ||
      is('string') ||
      is('integer') ||
      is('float') ||
      isOperator('[') ||
      isOperator('{')
    ) {
      if (isName('is')) fail('tests cannot follow each other');
      args = {positional: [parsePostfix(parsePrimary())], named: []};
    }
    const test: Expression = {type: 'Test', operand, name, args};
    return negated ? {type: 'Not', operand: test} : test;
  }

  function parseArguments(): Arguments {
    expect('operator', '(');
    const args: Arguments = {positional: [], named: []};
    const ensure = (allowed: boolean): void => {
      if (!allowed) fail('arguments in this order are not allowed');
    };
    let any = false;
    while (!isOperator(')')) {
      if (any) expect('operator', ',');
      if (isOperator(')')) break;
      any = true;
      if (skip('operator', '*')) {
        ensure(!args.rest && !args.namedRest);
        args.rest = parseExpression();
      } else if (skip('operator', '**')) {
        ensure(!args.namedRest);
        args.namedRest = parseExpression();
      } else if (is('name') && look().type === 'operator' && look().value === '=') {
        ensure(!args.namedRest);
        const {value: name} = next();
        at++;
        args.named.push([name, parseExpression()]);
      } else {
        ensure(!args.rest && !args.namedRest && args.named.length === 0);
        args.positional.push(parseExpression());
      }
    }
    at++;
    return args;
  }
}
