/** Tokens to expressions and what is assigned to, by the grammar of Jinja2 (jinja2/parser.py, 3.1); what binds least comes first. */
import type {Arguments, Arithmetic, Comparison, Expression, FilterStep, Target} from './nodes.ts';
import {shown, type Tokens} from './tokens.ts';

/** Names that are values and cannot be assigned to. */
export const constants: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

/** What is assigned to. `member`: also a name of a namespace. */
export function parseTarget(tokens: Tokens, ends: readonly string[], member = false): Target {
  const {line} = tokens.current();
  if (member && tokens.is('name') && tokens.look().type === 'operator' && tokens.look().value === '.') {
    const {value: namespace} = tokens.next();
    tokens.next();
    return {type: 'Member', namespace, name: tokens.expect('name').value};
  }
  return targetOf(tokens, parseTuple(tokens, {primary: true, ends}), line);
}

function targetOf(tokens: Tokens, expression: Expression, line: number): Target {
  if (expression.type === 'Name') return {type: 'Name', name: expression.name};
  if (expression.type === 'Tuple')
    return {type: 'Tuple', items: expression.items.map(item => targetOf(tokens, item, line))};
  return tokens.fail('this cannot be assigned to', line);
}

interface TupleRules {
  primary?: boolean;
  condition?: boolean;
  ends?: readonly string[];
  parentheses?: boolean;
}

/** An expression, or several with commas between them. */
export function parseTuple(
  tokens: Tokens,
  {primary, condition = true, ends = [], parentheses}: TupleRules = {},
): Expression {
  const items: Expression[] = [];
  let isTuple = false;
  for (;;) {
    if (items.length > 0) tokens.expect('operator', ',');
    if (
      tokens.is('close') ||
      tokens.is('end') ||
      tokens.isOperator(')') ||
      (tokens.is('name') && ends.includes(tokens.current().value))
    )
      break;
    items.push(primary ? parsePrimary(tokens) : condition ? parseExpression(tokens) : parseOr(tokens));
    if (!tokens.isOperator(',')) break;
    isTuple = true;
  }
  const [only] = items;
  if (isTuple) return {type: 'Tuple', items};
  if (only) return only;
  return parentheses ? {type: 'Tuple', items} : tokens.fail(`an expression expected, not ${shown(tokens.current())}`);
}

/** One expression, as it stands between brackets. */
export function parseExpression(tokens: Tokens): Expression {
  let expression = parseOr(tokens);
  while (tokens.skip('name', 'if')) {
    const test = parseOr(tokens);
    const otherwise = tokens.skip('name', 'else') ? parseExpression(tokens) : undefined;
    expression = {type: 'Condition', test, value: expression, otherwise};
  }
  return expression;
}

function parseOr(tokens: Tokens): Expression {
  let left = parseAnd(tokens);
  while (tokens.skip('name', 'or')) left = {type: 'Or', left, right: parseAnd(tokens)};
  return left;
}

function parseAnd(tokens: Tokens): Expression {
  let left = parseNot(tokens);
  while (tokens.skip('name', 'and')) left = {type: 'And', left, right: parseNot(tokens)};
  return left;
}

function parseNot(tokens: Tokens): Expression {
  return tokens.skip('name', 'not') ? {type: 'Not', operand: parseNot(tokens)} : parseCompare(tokens);
}

function parseCompare(tokens: Tokens): Expression {
  const first = parseSum(tokens);
  const others: {operator: Comparison; operand: Expression}[] = [];
  for (;;) {
    let operator: Comparison;
    if (tokens.is('operator') && comparisons.has(tokens.current().value)) operator = tokens.next().value as Comparison;
    else if (tokens.skip('name', 'in')) operator = 'in';
    else if (tokens.isName('not') && tokens.look().type === 'name' && tokens.look().value === 'in') {
      tokens.next();
      tokens.next();
      operator = 'not in';
    } else break;
    others.push({operator, operand: parseSum(tokens)});
  }
  return others.length > 0 ? {type: 'Compare', first, others} : first;
}

function parseSum(tokens: Tokens): Expression {
  let left = parseConcat(tokens);
  while (tokens.isOperator('+') || tokens.isOperator('-')) {
    const operator = tokens.next().value as Arithmetic;
    left = {type: 'Arithmetic', operator, left, right: parseConcat(tokens)};
  }
  return left;
}

function parseConcat(tokens: Tokens): Expression {
  const items = [parseProduct(tokens)];
  while (tokens.skip('operator', '~')) items.push(parseProduct(tokens));
  return items.length > 1 ? {type: 'Concat', items} : items[0]!;
}

function parseProduct(tokens: Tokens): Expression {
  let left = parsePower(tokens);
  while (tokens.isOperator('*') || tokens.isOperator('/') || tokens.isOperator('//') || tokens.isOperator('%')) {
    const operator = tokens.next().value as Arithmetic;
    left = {type: 'Arithmetic', operator, left, right: parsePower(tokens)};
  }
  return left;
}

function parsePower(tokens: Tokens): Expression {
  let left = parseUnary(tokens);
  while (tokens.skip('operator', '**')) left = {type: 'Arithmetic', operator: '**', left, right: parseUnary(tokens)};
  return left;
}

function parseUnary(tokens: Tokens, filters = true): Expression {
  let node: Expression;
  if (tokens.skip('operator', '-')) node = {type: 'Negative', operand: parseUnary(tokens, false)};
  else if (tokens.skip('operator', '+')) node = {type: 'Positive', operand: parseUnary(tokens, false)};
  else node = parsePrimary(tokens);
  node = parsePostfix(tokens, node);
  return filters ? parseFiltersAndTests(tokens, node) : node;
}

function parsePrimary(tokens: Tokens): Expression {
  const token = tokens.next();
  switch (token.type) {
    case 'name': {
      const value = constants.get(token.value);
      return value === undefined ? {type: 'Name', name: token.value} : {type: 'Const', value};
    }
    case 'string': {
      let value = token.value;
      while (tokens.is('string')) value += tokens.next().value;
      return {type: 'Const', value};
    }
    case 'integer':
      return {type: 'Const', value: BigInt(token.value.replaceAll('_', '').replace(/^0+(?=\d)/, ''))};
    case 'float':
      return {type: 'Const', value: Number(token.value.replaceAll('_', ''))};
    case 'operator':
      if (token.value === '(') {
        const inner = parseTuple(tokens, {parentheses: true});
        tokens.expect('operator', ')');
        return inner;
      }
      if (token.value === '[') return {type: 'List', items: parseList(tokens, ']', parseExpression)};
      if (token.value === '{') return {type: 'Dict', items: parseList(tokens, '}', parsePair)};
  }
  return tokens.fail(`unexpected ${shown(token)}`, token.line);
}

function parseList<T>(tokens: Tokens, end: string, one: (tokens: Tokens) => T): T[] {
  const items: T[] = [];
  while (!tokens.isOperator(end)) {
    if (items.length > 0) tokens.expect('operator', ',');
    if (tokens.isOperator(end)) break;
    items.push(one(tokens));
  }
  tokens.next();
  return items;
}

function parsePair(tokens: Tokens): [Expression, Expression] {
  const key = parseExpression(tokens);
  tokens.expect('operator', ':');
  return [key, parseExpression(tokens)];
}

function parsePostfix(tokens: Tokens, node: Expression): Expression {
  let result = node;
  for (;;) {
    if (tokens.skip('operator', '.')) {
      const token = tokens.next();
      if (token.type === 'name') result = {type: 'Attribute', object: result, name: token.value};
      else if (token.type === 'integer')
        result = {type: 'Item', object: result, key: {type: 'Const', value: BigInt(token.value)}};
      else tokens.fail(`a name expected, not ${shown(token)}`, token.line);
    } else if (tokens.skip('operator', '[')) result = parseSubscript(tokens, result);
    else if (tokens.isOperator('(')) result = {type: 'Call', callee: result, args: parseArguments(tokens)};
    else return result;
  }
}

function parseSubscript(tokens: Tokens, object: Expression): Expression {
  if (tokens.isOperator(']')) tokens.fail('an index expected');
  const bounds: (Expression | undefined)[] = [];
  let part = tokens.isOperator(':') ? undefined : parseExpression(tokens);
  if (tokens.isOperator(',')) tokens.fail('several indices are not supported');
  if (tokens.skip('operator', ']')) return {type: 'Item', object, key: part!};
  bounds.push(part);
  while (tokens.skip('operator', ':')) {
    part = tokens.isOperator(':') || tokens.isOperator(']') ? undefined : parseExpression(tokens);
    bounds.push(part);
  }
  if (bounds.length > 3) tokens.fail('a slice has three parts at most');
  tokens.expect('operator', ']');
  return {type: 'Slice', object, bounds};
}

function parseFiltersAndTests(tokens: Tokens, node: Expression): Expression {
  let result = node;
  for (;;) {
    if (tokens.skip('operator', '|')) result = {type: 'Filter', operand: result, ...parseFilter(tokens)};
    else if (tokens.skip('name', 'is')) result = parseTest(tokens, result);
    else if (tokens.isOperator('(')) result = {type: 'Call', callee: result, args: parseArguments(tokens)};
    else return result;
  }
}

function parseDottedName(tokens: Tokens): string {
  let {value} = tokens.expect('name');
  while (tokens.skip('operator', '.')) value += `.${tokens.expect('name').value}`;
  return value;
}

function parseFilter(tokens: Tokens): FilterStep {
  const name = parseDottedName(tokens);
  return {name, args: tokens.isOperator('(') ? parseArguments(tokens) : {positional: [], named: []}};
}

/** Filters one after another; `first`: no bar before the first one. */
export function parseFilters(tokens: Tokens, first: boolean): FilterStep[] {
  const filters = first ? [parseFilter(tokens)] : [];
  while (tokens.skip('operator', '|')) filters.push(parseFilter(tokens));
  return filters;
}

function parseTest(tokens: Tokens, operand: Expression): Expression {
  const negated = tokens.skip('name', 'not');
  const name = parseDottedName(tokens);
  let args: Arguments = {positional: [], named: []};
  if (tokens.isOperator('(')) args = parseArguments(tokens);
  else if (
    (tokens.is('name') && !['else', 'or', 'and'].includes(tokens.current().value)) ||
    tokens.is('string') ||
    tokens.is('integer') ||
    tokens.is('float') ||
    tokens.isOperator('[') ||
    tokens.isOperator('{')
  ) {
    if (tokens.isName('is')) tokens.fail('tests cannot follow each other');
    args = {positional: [parsePostfix(tokens, parsePrimary(tokens))], named: []};
  }
  const test: Expression = {type: 'Test', operand, name, args};
  return negated ? {type: 'Not', operand: test} : test;
}

function parseArguments(tokens: Tokens): Arguments {
  tokens.expect('operator', '(');
  const args: Arguments = {positional: [], named: []};
  const ensure = (allowed: boolean): void => {
    if (!allowed) tokens.fail('arguments in this order are not allowed');
  };
  let any = false;
  while (!tokens.isOperator(')')) {
    if (any) tokens.expect('operator', ',');
    if (tokens.isOperator(')')) break;
    any = true;
    if (tokens.skip('operator', '*')) {
      ensure(!args.rest && !args.namedRest);
      args.rest = parseExpression(tokens);
    } else if (tokens.skip('operator', '**')) {
      ensure(!args.namedRest);
      args.namedRest = parseExpression(tokens);
    } else if (tokens.is('name') && tokens.look().type === 'operator' && tokens.look().value === '=') {
      ensure(!args.namedRest);
      const {value: name} = tokens.next();
      tokens.next();
      args.named.push([name, parseExpression(tokens)]);
    } else {
      ensure(!args.rest && !args.namedRest && args.named.length === 0);
      args.positional.push(parseExpression(tokens));
    }
  }
  tokens.next();
  return args;
}
