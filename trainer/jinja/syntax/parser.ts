/** The source of a template to its statements, by the grammar of Jinja2 (jinja2/parser.py, 3.1) with loop controls and {% generation %}. */
import {constants, parseExpression, parseFilters, parseTarget, parseTuple} from './expressions.ts';
import type {Expression, Parameter, Statement, Target} from './nodes.ts';
import {shown, Tokens} from './tokens.ts';

/** Statements of Jinja2 that need other templates, or that transformers' environment has not. */
const absent: ReadonlySet<string> = new Set(['include', 'import', 'from', 'extends', 'block', 'autoescape', 'print']);

/**
 * The statements of a template.
 * @throws TemplateError with the line and what is wrong there
 */
export function parse(source: string): Statement[] {
  const tokens = new Tokens(source);
  const statements = subparse(tokens, []);
  if (!tokens.is('eof')) tokens.fail(`unexpected ${shown(tokens.current())}`);
  return statements;
}

/** Statements up to a block that begins with one of the names, which stays; to the end where there are none. */
function subparse(tokens: Tokens, ends: readonly string[]): Statement[] {
  const body: Statement[] = [];
  for (;;) {
    if (tokens.is('data')) body.push({type: 'Data', text: tokens.next().value});
    else if (tokens.is('open')) {
      tokens.next();
      const value = parseTuple(tokens);
      tokens.expect('close');
      body.push({type: 'Output', value});
    } else if (tokens.is('begin')) {
      if (tokens.look().type === 'name' && ends.includes(tokens.look().value)) {
        tokens.next();
        return body;
      }
      tokens.next();
      body.push(parseStatement(tokens));
      tokens.expect('end');
    } else {
      if (ends.length > 0) tokens.fail(`the template ends before {% ${ends.join(' %} or {% ')} %}`);
      return body;
    }
  }
}

/** What stands between a statement's head and the first of these tags, which stays. */
function parseBody(tokens: Tokens, ...ends: string[]): Statement[] {
  tokens.skip('operator', ':');
  tokens.expect('end');
  return subparse(tokens, ends);
}

/** A body that ends with this tag and no other. */
function parseWhole(tokens: Tokens, end: string): Statement[] {
  const body = parseBody(tokens, end);
  tokens.next();
  return body;
}

function parseStatement(tokens: Tokens): Statement {
  const {value: tag, line} = tokens.expect('name');
  switch (tag) {
    case 'for':
      return parseFor(tokens);
    case 'if':
      return parseIf(tokens);
    case 'set':
      return parseSet(tokens);
    case 'macro': {
      const {value: name} = tokens.expect('name');
      const parameters = parseParameters(tokens);
      const body = parseWhole(tokens, 'endmacro');
      return {type: 'Macro', name, parameters, body};
    }
    case 'call': {
      const parameters = tokens.isOperator('(') ? parseParameters(tokens) : [];
      const call = parseExpression(tokens);
      if (call.type !== 'Call') tokens.fail('a call expected', line);
      const body = parseWhole(tokens, 'endcall');
      return {type: 'CallBlock', call, parameters, body};
    }
    case 'filter': {
      const filters = parseFilters(tokens, true);
      const body = parseWhole(tokens, 'endfilter');
      return {type: 'FilterBlock', filters, body};
    }
    case 'with': {
      const values: [Target, Expression][] = [];
      while (!tokens.is('end')) {
        if (values.length > 0) tokens.expect('operator', ',');
        const target = parseTarget(tokens, []);
        tokens.expect('operator', '=');
        values.push([target, parseExpression(tokens)]);
      }
      const body = parseWhole(tokens, 'endwith');
      return {type: 'With', values, body};
    }
    case 'generation': {
      const body = parseWhole(tokens, 'endgeneration');
      return {type: 'Generation', body};
    }
    case 'break':
      return {type: 'Break'};
    case 'continue':
      return {type: 'Continue'};
    default:
      return tokens.fail(
        absent.has(tag) ? `{% ${tag} %} is not supported` : `there is no statement {% ${tag} %}`,
        line,
      );
  }
}

function parseFor(tokens: Tokens): Statement {
  const target = parseTarget(tokens, ['in']);
  if (target.type === 'Name' && target.name === 'loop') tokens.fail('loop is the name of the loop itself');
  tokens.expect('name', 'in');
  const over = parseTuple(tokens, {condition: false, ends: ['recursive']});
  const test = tokens.skip('name', 'if') ? parseExpression(tokens) : undefined;
  if (tokens.isName('recursive')) tokens.fail('{% for … recursive %} is not supported');
  const body = parseBody(tokens, 'endfor', 'else');
  let otherwise: Statement[] = [];
  if (tokens.next().value === 'else') {
    otherwise = parseWhole(tokens, 'endfor');
  }
  return {type: 'For', target, over, test, body, otherwise};
}

function parseIf(tokens: Tokens): Statement {
  const branches: {test: Expression; body: Statement[]}[] = [];
  for (;;) {
    const test = parseTuple(tokens, {condition: false});
    branches.push({test, body: parseBody(tokens, 'elif', 'else', 'endif')});
    const {value: tag} = tokens.next();
    if (tag === 'elif') continue;
    if (tag === 'endif') return {type: 'If', branches, otherwise: []};
    const otherwise = parseWhole(tokens, 'endif');
    return {type: 'If', branches, otherwise};
  }
}

function parseSet(tokens: Tokens): Statement {
  const target = parseTarget(tokens, [], true);
  if (tokens.skip('operator', '=')) return {type: 'Set', target, value: parseTuple(tokens)};
  const filters = parseFilters(tokens, false);
  const body = parseWhole(tokens, 'endset');
  return {type: 'SetBlock', target, filters, body};
}

function parseParameters(tokens: Tokens): Parameter[] {
  tokens.expect('operator', '(');
  const parameters: Parameter[] = [];
  while (!tokens.isOperator(')')) {
    if (parameters.length > 0) tokens.expect('operator', ',');
    const {value: name} = tokens.expect('name');
    if (constants.has(name)) tokens.fail(`${name} cannot be a parameter`);
    const value = tokens.skip('operator', '=') ? parseExpression(tokens) : undefined;
    if (!value && parameters.at(-1)?.value) tokens.fail('a parameter without a default follows one that has it');
    parameters.push({name, value});
  }
  tokens.next();
  return parameters;
}
