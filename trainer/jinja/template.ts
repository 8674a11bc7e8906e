/**
 * Templates of Jinja2 as transformers sets it up for chats: trim_blocks, lstrip_blocks, loop controls, {% generation %},
 * raise_exception, strftime_now and a sandbox that changes nothing (transformers.utils.chat_template_utils, 5). No library
 * for JavaScript follows Python's texts, numbers, scopes and white space; what this one does not follow it refuses.
 */
import {bind, textArgument} from './arguments.ts';
import {makeDict, makeNamespace, makeRange, setMember} from './attributes.ts';
import {Budget} from './budget.ts';
import {strftime} from './dates.ts';
import {refuse, TemplateError} from './error.ts';
import {Evaluator, invoke} from './evaluator.ts';
import {runFilter} from './filters/filters.ts';
import {Output, type Written} from './output.ts';
import {Scope} from './scope.ts';
import {collect, contentsOf, type Node, readsParts} from './syntax/contents.ts';
import type {Arguments, Expression, Parameter, Statement, Target} from './syntax/nodes.ts';
import {parse} from './syntax/parser.ts';
import {
  Callable,
  type Called,
  Dict,
  iterate,
  Loop,
  Namespace,
  Tuple,
  textOf,
  truth,
  Undefined,
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

type Signal = 'break' | 'continue' | undefined;

class Interpreter {
  readonly #global = new Scope();
  readonly #budget = new Budget();
  readonly #expressions = new Evaluator(this.#budget);
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
        this.#write(textOf(this.#expressions.value(statement.value, scope)), output);
        return undefined;
      }
      case 'If': {
        const branch = statement.branches.find(({test}) => truth(this.#expressions.value(test, scope)));
        return this.#body(branch ? branch.body : statement.otherwise, scope, output);
      }
      case 'For':
        return this.#loop(statement, scope, output);
      case 'Break':
        return 'break';
      case 'Continue':
        return 'continue';
      case 'Set':
        this.#assign(statement.target, this.#expressions.value(statement.value, scope), scope);
        return undefined;
      case 'SetBlock':
        this.#assign(statement.target, this.#filtered(statement, scope), scope);
        return undefined;
      case 'FilterBlock':
        this.#write(textOf(this.#filtered(statement, scope)), output);
        return undefined;
      case 'With': {
        const inner = new Scope(scope);
        const values = statement.values.map(([, value]) => this.#expressions.value(value, scope));
        for (const [i, [target]] of statement.values.entries()) this.#assign(target, values[i]!, inner);
        return this.#body(statement.body, inner, output);
      }
      case 'Macro':
        scope.values.set(statement.name, this.#macro(statement.name, statement, scope));
        return undefined;
      case 'CallBlock': {
        const {call} = statement;
        if (call.type !== 'Call') return refuse('a call expected');
        const args = this.#expressions.arguments(call.args, scope);
        args.named.set('caller', this.#macro('caller', statement, scope));
        this.#write(textOf(invoke(this.#expressions.value(call.callee, scope), args)), output);
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
    for (const {name, args} of filters) value = runFilter(name, value, this.#expressions.arguments(args, scope));
    return value;
  }

  #loop(statement: Extract<Statement, {type: 'For'}>, scope: Scope, output: Output): Signal {
    const {target, over, test, body, otherwise} = statement;
    if (test) refuseChangingTest(test, body);
    let items = [...iterate(this.#expressions.value(over, scope))];
    this.#budget.items(items.length);
    if (test) {
      items = items.filter(item => {
        const inner = new Scope(scope);
        this.#assign(target, item, inner);
        return truth(this.#expressions.value(test, inner));
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
      for (const parameter of missing)
        inner.values.set(parameter.name, this.#expressions.value(parameter.value!, inner));
      const output = new Output();
      this.#whole(body, inner, output);
      return this.#aside(output.end());
    });
  }
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
