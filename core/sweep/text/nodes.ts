import type {Range} from '../problem.ts';

/** A single value as YAML understands it. */
export interface ScalarNode {
  kind: 'scalar';
  value: string | number | boolean | null;
  /** As written, without quotes. */
  text: string;
  quoted: boolean;
  /** Stands for something unreadable that is reported already. */
  broken?: true;
  range: Range;
}

export interface ListNode {
  kind: 'list';
  items: Node[];
  range: Range;
}

export interface MappingNode {
  kind: 'mapping';
  entries: Entry[];
  /** Written with braces. */
  flow: boolean;
  range: Range;
}

export interface Entry {
  key: string;
  keyRange: Range;
  value: Node;
}

/** A YAML value with aliases and merge keys resolved. Aliased nodes are shared, not copied. */
export type Node = ScalarNode | ListNode | MappingNode;
