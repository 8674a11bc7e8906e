/** What expressions of a template are. */
import {getAttribute, getItem, getSlice} from './attributes.ts';
import type {Budget} from './budget.ts';
import {refuse} from './error.ts';
import {runFilter} from './filters/filters.ts';
import {arithmetic} from './operators.ts';
import type {Scope} from './scope.ts';
import type {Arguments, Comparison, Expression} from './syntax/nodes.ts';
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
  Tuple,
  textOf,
  truth,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
} from './values.ts';

/** Texts that a template gathers piece by piece share most of their memory. */
const joinedShare = 1 / 8;

type Node<Type extends Expression['type']> = Extract<Expression, {type: Type}>;

export class Evaluator {
  readonly #budget: Budget;

  /** `budget`: what all that is made here is counted in. */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  value(node: Expression, scope: Scope): Value {
    switch (node.type) {
      case 'Const':
        return node.value;
      case 'Name':
        return named(node.name, scope);
      case 'Tuple':
        return this.#budget.made(new Tuple(this.#values(node.items, scope)));
      case 'List':
        return this.#budget.made(this.#values(node.items, scope));
      case 'Dict':
        return this.#budget.made(
          new Dict(node.items.map(([key, value]) => [keyOf(this.value(key, scope)), this.value(value, scope)])),
        );
      case 'Condition':
        return this.#condition(node, scope);
      case 'And':
      case 'Or': {
        const left = this.value(node.left, scope);
        return truth(left) === (node.type === 'And') ? this.value(node.right, scope) : left;
      }
      case 'Not':
        return !truth(this.value(node.operand, scope));
      case 'Negative':
      case 'Positive':
        return signed(node.type, this.value(node.operand, scope));
      case 'Compare':
        return this.#compare(node, scope);
      case 'Arithmetic': {
        const left = this.value(node.left, scope);
        return this.#budget.made(arithmetic(node.operator, left, this.value(node.right, scope)), joinedShare);
      }
      case 'Concat':
        return this.#budget.made(node.items.map(item => textOf(this.value(item, scope))).join(''), joinedShare);
      case 'Attribute':
        return getAttribute(this.value(node.object, scope), node.name);
      case 'Item':
        return getItem(this.value(node.object, scope), this.value(node.key, scope));
      case 'Slice': {
        const object = this.value(node.object, scope);
        const bounds = node.bounds.map(bound => bound && this.value(bound, scope));
        return this.#budget.made(getSlice(object, bounds));
      }
      case 'Call': {
        const callee = this.value(node.callee, scope);
        return this.#budget.made(invoke(callee, this.arguments(node.args, scope)));
      }
      case 'Filter': {
        const operand = this.value(node.operand, scope);
        return this.#budget.made(runFilter(node.name, operand, this.arguments(node.args, scope)));
      }
      case 'Test': {
        const operand = this.value(node.operand, scope);
        return runTest(node.name, operand, this.arguments(node.args, scope));
      }
    }
  }

  #values(nodes: readonly Expression[], scope: Scope): Value[] {
    return nodes.map(node => this.value(node, scope));
  }

  #condition({test, value, otherwise}: Node<'Condition'>, scope: Scope): Value {
    if (truth(this.value(test, scope))) return this.value(value, scope);
    if (otherwise) return this.value(otherwise, scope);
    return new Undefined('the inline if-expression evaluated to false and no else section was defined.');
  }

  #compare({first, others}: Node<'Compare'>, scope: Scope): boolean {
    let left = this.value(first, scope);
    for (const {operator, operand} of others) {
      const right = this.value(operand, scope);
      if (!compared(operator, left, right)) return false;
      left = right;
    }
    return true;
  }

  /** The arguments of a call, those of *values and **values behind the others. */
  arguments({positional, named, rest, namedRest}: Arguments, scope: Scope): Called {
    const values = positional.map(argument => this.value(argument, scope));
    if (rest) values.push(...iterate(this.value(rest, scope)));
    const byName = new Map<string, Value>();
    const add = (name: Key, value: Value): void => {
      if (typeof name !== 'string') refuse('keywords must be strings');
      else if (byName.has(name)) refuse(`multiple values for keyword argument '${name}'`);
      else byName.set(name, value);
    };
    for (const [name, value] of named) add(name, this.value(value, scope));
    if (namedRest) {
      const more = this.value(namedRest, scope);
      if (!(more instanceof Dict)) return refuse('argument after ** must be a mapping');
      for (const [name, value] of more.entries) add(name, value);
    }
    return {positional: values, named: byName};
  }
}

/** The variable of this name. */
function named(name: string, scope: Scope): Value {
  const value = scope.get(name);
  if (value === undefined && name === 'self') refuse('the variable self is not supported');
  return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
}

/** What a function, a macro or a method of a value gives. */
export function invoke(callee: Value, args: Called): Value {
  if (callee instanceof Undefined) throw undefinedError(callee);
  if (!(callee instanceof Callable)) return refuse(`'${typeOf(callee)}' object is not callable`);
  return callee.call(args);
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
