import type {Fix, ProblemCode} from '../problem.ts';
import {keyName, type Place, type Problems, quote, replacement} from '../problems.ts';
import type {Node} from '../text/nodes.ts';
import {describe, type Type} from './field.ts';

/** A value that is being read: where it stands, and where to report what is wrong with it. */
export interface Reading<N extends Node = Node> {
  node: N;
  path: (string | number)[];
  problems: Problems;
}

/** Reports a problem with a value; undefined, so that a reader can return it. */
export function fail(
  {node, path, problems}: Reading,
  code: ProblemCode,
  message: string,
  fixes: Fix[] = [],
): undefined {
  problems.report(code, {path, range: node.range}, message, fixes);
}

/** Reports a value of another kind than the key takes; `meant` is what it should probably be. */
export function wrongType(reading: Reading, type: Type, meant?: string): undefined {
  const {node, path} = reading;
  const wrote = node.kind === 'scalar' ? quote(node.quoted ? `"${node.text}"` : node.text) : `a ${node.kind}`;
  const message = `'${keyName(path)}' must be ${describe(type)}, not ${wrote}.`;
  return fail(reading, 'wrong-type', message, meant ? [replacement(node.range, meant)] : []);
}

/** Reports a key or value whose feature is still to come. */
export function notYet(problems: Problems, place: Place, what: string, instead: string): undefined {
  problems.report('not-yet', place, `${what} is planned, but does not work yet. ${instead}`);
}
