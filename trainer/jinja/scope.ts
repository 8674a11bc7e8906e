import type {Value} from './values.ts';

/** The variables of a part of a template; what it does not set itself it has from the part around it. */
export class Scope {
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
