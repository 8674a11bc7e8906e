/** The syntax tree of a template, with the names of Jinja2's nodes. */

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';
export type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**';

export interface Arguments {
  positional: Expression[];
  named: [name: string, value: Expression][];
  /** *values and **values. */
  rest?: Expression;
  namedRest?: Expression;
}

export type Expression =
  | {type: 'Const'; value: string | bigint | number | boolean | null}
  | {type: 'Name'; name: string}
  | {type: 'Tuple' | 'List'; items: Expression[]}
  | {type: 'Dict'; items: [key: Expression, value: Expression][]}
  | {type: 'Condition'; test: Expression; value: Expression; otherwise: Expression | undefined}
  | {type: 'And' | 'Or'; left: Expression; right: Expression}
  | {type: 'Not' | 'Negative' | 'Positive'; operand: Expression}
  | {type: 'Compare'; first: Expression; others: {operator: Comparison; operand: Expression}[]}
  | {type: 'Arithmetic'; operator: Arithmetic; left: Expression; right: Expression}
  | {type: 'Concat'; items: Expression[]}
  | {type: 'Attribute'; object: Expression; name: string}
  | {type: 'Item'; object: Expression; key: Expression}
  | {type: 'Slice'; object: Expression; bounds: (Expression | undefined)[]}
  | {type: 'Call'; callee: Expression; args: Arguments}
  | {type: 'Filter'; operand: Expression; name: string; args: Arguments}
  | {type: 'Test'; operand: Expression; name: string; args: Arguments};

export type Target =
  | {type: 'Name'; name: string}
  | {type: 'Tuple'; items: Target[]}
  | {type: 'Member'; namespace: string; name: string};

export interface Parameter {
  name: string;
  value: Expression | undefined;
}

export type Statement =
  | {type: 'Data'; text: string}
  | {type: 'Output'; value: Expression}
  | {type: 'If'; branches: {test: Expression; body: Statement[]}[]; otherwise: Statement[]}
  | {
      type: 'For';
      target: Target;
      over: Expression;
      test: Expression | undefined;
      body: Statement[];
      otherwise: Statement[];
    }
  | {type: 'Break' | 'Continue'}
  | {type: 'Set'; target: Target; value: Expression}
  | {type: 'SetBlock'; target: Target; filters: FilterStep[]; body: Statement[]}
  | {type: 'FilterBlock'; filters: FilterStep[]; body: Statement[]}
  | {type: 'With'; values: [target: Target, value: Expression][]; body: Statement[]}
  | {type: 'Macro'; name: string; parameters: Parameter[]; body: Statement[]}
  | {type: 'CallBlock'; call: Expression; parameters: Parameter[]; body: Statement[]}
  | {type: 'Generation'; body: Statement[]};

export interface FilterStep {
  name: string;
  args: Arguments;
}
