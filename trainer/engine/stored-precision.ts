import {product} from '../../core/numbers.ts';
import type {StoredTensor} from '../weights/safetensors.ts';
import type {Precision} from './program/precision.ts';

/** bfloat16 where most of the weights' numbers are stored so. */
export function storedPrecision(tensors: Iterable<StoredTensor>): Precision {
  let balance = 0;
  for (const {dtype, shape} of tensors) balance += (dtype === 'BF16' ? 1 : -1) * product(shape);
  return balance > 0 ? 'bfloat16' : 'float32';
}
