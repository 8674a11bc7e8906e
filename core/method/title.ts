/** Methods as people write them: `DoRA`, where programs and sweep files say `dora`. */
import {type MethodName, methods} from './methods.ts';

/** The method that a name begins with: of `lora (yesterday)`, as a comparison of runs calls it, `lora`. Null where it is none. */
export function methodIn(name: string): MethodName | null {
  const first = name.split(' (', 1)[0]!;
  return Object.hasOwn(methods, first) ? (first as MethodName) : null;
}

/** `DoRA` of `dora`, `LoRA (yesterday)` of `lora (yesterday)`; a name that the table does not know stays as it is. */
export function methodTitle(name: string): string {
  const method = methodIn(name);
  return method === null ? name : methods[method].title + name.slice(method.length);
}
