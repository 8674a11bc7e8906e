import {product} from '../numbers.ts';
import type {Matrix, MethodDescription, Size} from './method.ts';
import {type MethodName, methods} from './methods.ts';

/** A method with its size: what decides how much it trains. */
export interface Sized {
  method: MethodName;
  rank: number;
  /** Settings that only this method has, by their keys; those that are missing have their defaults. */
  options?: Size['options'] | undefined;
}

/** The rank and options of a method with all defaults filled in. */
export function sizeOf({method, rank, options}: Sized): Size {
  return {rank, options: {...defaultOptions(methods[method]), ...options}};
}

/** The defaults of a method's own keys, flags as 1 and 0; a key without one is left out. */
export function defaultOptions({options = {}}: Pick<MethodDescription, 'options'>): Size['options'] {
  const given = Object.entries(options).flatMap(([key, field]) =>
    typeof field.default === 'number' || typeof field.default === 'boolean'
      ? [[key, Number(field.default)] as const]
      : [],
  );
  return Object.fromEntries(given);
}

/** Numbers that are trained at one adapted matrix (the same count as PEFT's). */
export function trainedAt(sized: Sized, matrix: Matrix): number {
  const {shapes, frozen = []} = methods[sized.method];
  const trained = Object.entries(shapes(matrix, sizeOf(sized))).filter(([part]) => !frozen.includes(part));
  return trained.reduce((sum, [, shape]) => sum + product(shape), 0);
}

/** Trained numbers of one trial; `everything` is the number of all the model's weights. */
export function trainedParameters(sized: Sized, matrices: readonly Matrix[], everything: number): number {
  if (methods[sized.method].weights) return everything;
  const common = Object.values(methods[sized.method].common?.(sizeOf(sized)) ?? {});
  const ofModel = common.reduce((sum, shape) => sum + product(shape), 0);
  return matrices.reduce((sum, matrix) => sum + trainedAt(sized, matrix), ofModel);
}
