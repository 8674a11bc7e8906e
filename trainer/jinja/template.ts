/**
 * Templates of Jinja2 as transformers sets it up for chats: trim_blocks, lstrip_blocks, loop controls, {% generation %},
 * raise_exception, strftime_now and a sandbox that changes nothing (transformers.utils.chat_template_utils, 5). No library
 * for JavaScript follows Python's texts, numbers, scopes and white space; what this one does not follow it refuses.
 */
import {bind, textArgument} from './arguments.ts';
import {getAttribute, getItem, getSlice, makeDict, makeNamespace, makeRange, setMember} from './attributes.ts';
import {Budget} from './budget.ts';
import {strftime} from './dates.ts';
import {TemplateError} from './error.ts';
import {makeFilters} from './filters.ts';
import type {Arguments, Comparison, Expression, Parameter, Statement, Target} from './nodes.ts';
import {arithmetic} from './operators.ts';
import {Output, type Written} from './output.ts';
import {parse} from './parser.ts';
import {runTest} from './tests.ts';
import {
  Callable,
  type Called,
  compare,
  contains,
  Dict,
  equal,
  integerOf,
  iterate,
  type Key,
  keyOf,
  Loop,
  Namespace,
  Tuple,
  textOf,
  truth,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
} from './values.ts';

export interface RenderOptions {
  /** The day that strftime_now tells of. */
  date: Date;
  /** Values of which the loops over them tell in `regions`. */
  watched?: ReadonlySet<object>;
}

export interface Rendered extends Written {
  /** Marked parts went through something that changed their text, so that their places are not known. */
  lost: boolean;
}

export interface Template {
  /** Whether there is a {% generation %} in it. */
  marked: boolean;
  /** Whether it walks through the content of a message, which may then be a list of parts. */
  readsParts: boolean;
  /** @throws TemplateError what the template refuses, or cannot do */
  render(context: ReadonlyMap<string, Value>, options: RenderOptions): Rendered;
}

/** @throws TemplateError what cannot be read, with its line */
export function compileTemplate(source: string): Template {
  const statements = parse(source);
  const nodes = contentsOf(statements);
  return {
    readsParts: nodes.some(readsParts),
    marked: nodes.some(({type}) => type === 'Generation'),
    render: (context, options) => new Interpreter(context, options).run(statements),
  };
}

const listFilters = new Set(['map', 'selectattr', 'rejectattr', 'select', 'reject']);

/** A loop over the parts, a filter of lists, or the text or kind of one of them. */
function readsParts(node: Statement | Expression): boolean {
  if (node.type === 'For') return isContent(node.over);
  if (node.type === 'Filter') return listFilters.has(node.name) && isContent(node.operand);
  const [object, key] =
    node.type === 'Attribute'
      ? [node.object, node.name]
      : node.type === 'Item' && node.key.type === 'Const'
        ? [node.object, node.key.value]
        : [];
  return (key === 'text' || key === 'type') && object?.type === 'Item' && isContent(object.object);
}

function isContent(node: Expression): boolean {
  switch (node.type) {
    case 'Name':
      return node.name === 'content';
    case 'Attribute':
      return node.name === 'content';
    case 'Item':
      return node.key.type === 'Const' && node.key.value === 'content';
    case 'Filter':
      return isContent(node.operand);
    case 'Slice':
      return isContent(node.object);
    default:
      return false;
  }
}

class Scope {
  readonly values = new Map<string, Value>();
  readonly parent: Scope | undefined;
  constructor(parent?: Scope) {
    this.parent = parent;
  }
  get(name: string): Value | undefined {
    const own = this.values.get(name);
    return own === undefined ? this.parent?.get(name) : own;
  }
}

type Signal = 'break' | 'continue' | undefined;

const filter = makeFilters(getItem);

/** Texts that a template gathers piece by piece share most of their memory. */
const joinedShare = 1 / 8;

class Interpreter {
  readonly #global = new Scope();
  readonly #budget = new Budget();
  readonly #watched: ReadonlySet<object>;
  /** Marked text that was made but not written yet. */
  #pending: Written | undefined;
  #lost = false;
  /** The turns of loops that are under way, innermost last: which watched value each is about. */
  readonly #turns: {of: object | undefined}[] = [];

  constructor(context: ReadonlyMap<string, Value>, {date, watched = new Set()}: RenderOptions) {
    this.#watched = watched;
    const globals: Record<string, (args: Called) => Value> = {
      range: makeRange,
      dict: makeDict,
      namespace: makeNamespace,
      joiner: makeJoiner,
      raise_exception: args => {
        throw new TemplateError(textOf(bind('raise_exception', args, ['message'], 1)[0]!));
      },
      strftime_now: args => strftime(date, textArgument('strftime_now', bind('strftime_now', args, ['format'], 1)[0])),
      ...Object.fromEntries(['cycler', 'lipsum'].map(name => [name, () => refuse(`${name}() is not supported`)])),
    };
    for (const [name, call] of Object.entries(globals)) this.#global.values.set(name, new Callable(name, call));
    for (const [name, value] of context) this.#global.values.set(name, value);
  }

  run(statements: readonly Statement[]): Rendered {
    const output = new Output();
    this.#body(statements, new Scope(this.#global), output);
    return {...output.end(), lost: this.#lost || this.#pending !== undefined};
  }

  #body(statements: readonly Statement[], scope: Scope, output: Output): Signal {
    for (const statement of statements) {
      const signal = this.#run(statement, scope, output);
      if (signal) return signal;
    }
    return undefined;
  }

  #run(statement: Statement, scope: Scope, output: Output): Signal {
    switch (statement.type) {
      case 'Data':
        output.write(statement.text);
        return undefined;
      case 'Output': {
        this.#write(textOf(this.#value(statement.value, scope)), output);
        return undefined;
      }
      case 'If': {
        const branch = statement.branches.find(({test}) => truth(this.#value(test, scope)));
        return this.#body(branch ? branch.body : statement.otherwise, scope, output);
      }
      case 'For':
        return this.#loop(statement, scope, output);
      case 'Break':
        return 'break';
      case 'Continue':
        return 'continue';
      case 'Set':
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return undefined;
      case 'SetBlock':
        this.#assign(statement.target, this.#filtered(statement, scope), scope);
        return undefined;
      case 'FilterBlock':
        this.#write(textOf(this.#filtered(statement, scope)), output);
        return undefined;
      case 'With': {
        const inner = new Scope(scope);
        const values = statement.values.map(([, value]) => this.#value(value, scope));
        for (const [i, [target]] of statement.values.entries()) this.#assign(target, values[i]!, inner);
        return this.#body(statement.body, inner, output);
      }
      case 'Macro':
        scope.values.set(statement.name, this.#macro(statement.name, statement, scope));
        return undefined;
      case 'CallBlock': {
        const {call} = statement;
        if (call.type !== 'Call') return refuse('a call expected');
        const args = this.#arguments(call.args, scope);
        args.named.set('caller', this.#macro('caller', statement, scope));
        this.#write(textOf(this.#call(this.#value(call.callee, scope), args)), output);
        return undefined;
      }
      case 'Generation': {
        const start = output.length;
        // transformers calls the part like a macro: what it sets stays inside.
        this.#whole(statement.body, new Scope(scope), output);
        output.spans.push({start, end: output.length});
        return undefined;
      }
    }
  }

  /** A part that no break or continue leaves. */
  #whole(statements: readonly Statement[], scope: Scope, output: Output): void {
    const signal = this.#body(statements, scope, output);
    if (signal) refuse(`{% ${signal} %} outside of a loop`);
  }

  #write(text: string, output: Output): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (text === pending?.text) output.append(pending);
    else {
      if (pending) this.#lost = true;
      output.write(text);
    }
  }

  /** Text that was written aside; its marked parts wait for it to be written. */
  #aside(written: Written): string {
    if (written.spans.length > 0 || written.regions.length > 0) {
      if (this.#pending) this.#lost = true;
      this.#pending = written;
    }
    return written.text;
  }

  #filtered({filters, body}: {filters: {name: string; args: Arguments}[]; body: Statement[]}, scope: Scope): Value {
    const output = new Output();
    this.#whole(body, new Scope(scope), output);
    let value: Value = this.#aside(output.end());
    for (const {name, args} of filters) value = filter(name, value, this.#arguments(args, scope));
    return value;
  }

  #loop(statement: Extract<Statement, {type: 'For'}>, scope: Scope, output: Output): Signal {
    const {target, over, test, body, otherwise} = statement;
    if (test) refuseChangingTest(test, body);
    let items = [...iterate(this.#value(over, scope))];
    this.#budget.items(items.length);
    if (test) {
      items = items.filter(item => {
        const inner = new Scope(scope);
        this.#assign(target, item, inner);
        return truth(this.#value(test, inner));
      });
    }
    if (items.length === 0) return this.#body(otherwise, new Scope(scope), output);
    const loop = new Loop(items);
    for (const [index, item] of items.entries()) {
      loop.index0 = index;
      const inner = new Scope(scope);
      inner.values.set('loop', loop);
      const turn = {of: this.#watch(item)};
      this.#turns.push(turn);
      const start = output.length;
      this.#assign(target, item, inner);
      const signal = this.#body(body, inner, output);
      this.#turns.pop();
      if (turn.of && output.length > start) output.regions.push({of: turn.of, start, end: output.length});
      if (signal === 'break') break;
    }
    return undefined;
  }

  #watch(value: Value): object | undefined {
    return value instanceof Dict && this.#watched.has(value) ? value : undefined;
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === 'Name') {
      const turn = this.#turns.at(-1);
      if (turn && !turn.of) turn.of = this.#watch(value);
      scope.values.set(target.name, value);
    } else if (target.type === 'Tuple') {
      const values = [...iterate(value)];
      if (values.length !== target.items.length) {
        refuse(`${target.items.length} values expected to unpack, not ${values.length}`);
      }
      for (const [i, part] of target.items.entries()) this.#assign(part, values[i]!, scope);
    } else {
      const namespace = scope.get(target.namespace);
      if (namespace instanceof Namespace) setMember(namespace, target.name, value);
      else refuse('cannot assign attribute on non-namespace object');
    }
  }

  #macro(name: string, {parameters, body}: {parameters: Parameter[]; body: Statement[]}, scope: Scope): Callable {
    const names = new Set(contentsOf(body).flatMap(node => (node.type === 'Name' ? [node.name] : [])));
    const own = parameters.map(parameter => parameter.name);
    const takes = (special: string): boolean => names.has(special) && !own.includes(special);
    return new Callable(name, ({positional, named}) => {
      const inner = new Scope(scope);
      const rest = new Map(named);
      const missing: Parameter[] = [];
      for (const [i, parameter] of parameters.entries()) {
        let value = positional[i];
        if (value === undefined && rest.has(parameter.name)) {
          value = rest.get(parameter.name)!;
          rest.delete(parameter.name);
        }
        if (value === undefined && parameter.value) missing.push(parameter);
        inner.values.set(
          parameter.name,
          value === undefined ? new Undefined(`parameter '${parameter.name}' was not provided`) : value,
        );
      }
      if (takes('caller')) {
        inner.values.set('caller', rest.get('caller') ?? new Undefined('No caller defined'));
        rest.delete('caller');
      }
      if (takes('kwargs')) inner.values.set('kwargs', new Dict(rest));
      else if (rest.size > 0) refuse(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`);
      if (takes('varargs')) inner.values.set('varargs', new Tuple(positional.slice(parameters.length)));
      else if (positional.length > parameters.length) {
        refuse(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
      }
      for (const parameter of missing) inner.values.set(parameter.name, this.#value(parameter.value!, inner));
      const output = new Output();
      this.#whole(body, inner, output);
      return this.#aside(output.end());
    });
  }

  #arguments({positional, named, rest, namedRest}: Arguments, scope: Scope): Called {
    const values = positional.map(argument => this.#value(argument, scope));
    if (rest) values.push(...iterate(this.#value(rest, scope)));
    const byName = new Map<string, Value>();
    const add = (name: Key, value: Value): void => {
      if (typeof name !== 'string') refuse('keywords must be strings');
      else if (byName.has(name)) refuse(`multiple values for keyword argument '${name}'`);
      else byName.set(name, value);
    };
    for (const [name, value] of named) add(name, this.#value(value, scope));
    if (namedRest) {
      const more = this.#value(namedRest, scope);
      if (!(more instanceof Dict)) return refuse('argument after ** must be a mapping');
      for (const [name, value] of more.entries) add(name, value);
    }
    return {positional: values, named: byName};
  }

  #call(callee: Value, args: Called): Value {
    if (callee instanceof Undefined) throw undefinedError(callee);
    if (!(callee instanceof Callable)) return refuse(`'${typeOf(callee)}' object is not callable`);
    return callee.call(args);
  }

  #value(node: Expression, scope: Scope): Value {
    switch (node.type) {
      case 'Const':
        return node.value;
      case 'Name': {
        const value = scope.get(node.name);
        if (value === undefined && node.name === 'self') refuse('the variable self is not supported');
        return value === undefined ? new Undefined(`'${node.name}' is undefined`) : value;
      }
      case 'Tuple':
        return this.#budget.made(new Tuple(node.items.map(item => this.#value(item, scope))));
      case 'List':
        return this.#budget.made(node.items.map(item => this.#value(item, scope)));
      case 'Dict':
        return this.#budget.made(
          new Dict(node.items.map(([key, value]) => [keyOf(this.#value(key, scope)), this.#value(value, scope)])),
        );
      case 'Condition':
        if (truth(this.#value(node.test, scope))) return this.#value(node.value, scope);
        if (node.otherwise) return this.#value(node.otherwise, scope);
        return new Undefined('the inline if-expression evaluated to false and no else section was defined.');
      case 'And': {
        const left = this.#value(node.left, scope);
        return truth(left) ? this.#value(node.right, scope) : left;
      }
      case 'Or': {
        const left = this.#value(node.left, scope);
        return truth(left) ? left : this.#value(node.right, scope);
      }
      case 'Not':
        return !truth(this.#value(node.operand, scope));
      case 'Negative':
      case 'Positive':
        return signed(node.type, this.#value(node.operand, scope));
      case 'Compare': {
        let left = this.#value(node.first, scope);
        for (const {operator, operand} of node.others) {
          const right = this.#value(operand, scope);
          if (!compared(operator, left, right)) return false;
          left = right;
        }
        return true;
      }
      case 'Arithmetic': {
        const left = this.#value(node.left, scope);
        return this.#budget.made(arithmetic(node.operator, left, this.#value(node.right, scope)), joinedShare);
      }
      case 'Concat':
        return this.#budget.made(node.items.map(item => textOf(this.#value(item, scope))).join(''), joinedShare);
      case 'Attribute':
        return getAttribute(this.#value(node.object, scope), node.name);
      case 'Item':
        return getItem(this.#value(node.object, scope), this.#value(node.key, scope));
      case 'Slice': {
        const object = this.#value(node.object, scope);
        return this.#budget.made(
          getSlice(
            object,
            node.bounds.map(bound => bound && this.#value(bound, scope)),
          ),
        );
      }
      case 'Call': {
        const callee = this.#value(node.callee, scope);
        return this.#budget.made(this.#call(callee, this.#arguments(node.args, scope)));
      }
      case 'Filter': {
        const operand = this.#value(node.operand, scope);
        return this.#budget.made(filter(node.name, operand, this.#arguments(node.args, scope)));
      }
      case 'Test': {
        const operand = this.#value(node.operand, scope);
        return runTest(node.name, operand, this.#arguments(node.args, scope));
      }
    }
  }
}

function compared(operator: Comparison, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right, '<') < 0;
    case '<=':
      return compare(left, right, '<=') <= 0;
    case '>':
      return compare(left, right, '>') > 0;
    case '>=':
      return compare(left, right, '>=') >= 0;
  }
}

function signed(sign: 'Negative' | 'Positive', value: Value): Value {
  if (value instanceof Undefined) throw undefinedError(value);
  const number = typeof value === 'number' ? value : integerOf(value);
  if (number === undefined) return refuse(`bad operand type for unary sign: '${typeOf(value)}'`);
  return sign === 'Negative' ? -number : number;
}

function makeJoiner(args: Called): Value {
  const [separator = ', '] = bind('joiner', args, ['sep']);
  let used = false;
  return new Callable('joiner', () => {
    const now = used ? separator : '';
    used = true;
    return now;
  });
}

function refuse(what: string): never {
  throw new TemplateError(what);
}

type Node = Statement | Expression;

const kept = new WeakMap<readonly Statement[], Node[]>();

/** All nodes below these statements. */
function contentsOf(statements: readonly Statement[]): Node[] {
  let nodes = kept.get(statements);
  if (!nodes) {
    nodes = [];
    collect(statements, nodes);
    kept.set(statements, nodes);
  }
  return nodes;
}

function collect(part: unknown, into: Node[]): void {
  if (Array.isArray(part)) for (const item of part) collect(item, into);
  else if (typeof part === 'object' && part !== null) {
    if ('type' in part) into.push(part as Node);
    for (const item of Object.values(part)) collect(item, into);
  }
}

/** Jinja2 tests the items of a loop while it runs, here they are tested before it. */
function refuseChangingTest(test: Expression, body: readonly Statement[]): void {
  const nodes: Node[] = [];
  collect(test, nodes);
  const names = new Set(nodes.flatMap(node => (node.type === 'Name' ? [node.name] : [])));
  for (const node of contentsOf(body)) {
    if (node.type === 'Set' && node.target.type === 'Member' && names.has(node.target.namespace)) {
      refuse(`a loop that changes what its own test asks for (${node.target.namespace}) is not supported`);
    }
  }
}
