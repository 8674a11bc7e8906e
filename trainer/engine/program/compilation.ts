/** What engines that compile a traced graph do alike: tracing a computation, and the names things have in its graph. */

import type {Graph} from '../graph/graph.ts';
import {withTurnedInputs} from '../graph/simplify.ts';
import {cutIntoParts, type PartGraph, type StagedComputation} from '../graph/stages.ts';
import {trace} from '../graph/tracing.ts';
import type {Computation} from './engine.ts';

/** A state tensor and the output that replaces it need two names in one graph. */
export const stateInput = (name: string): string => `${name}.before`;

/** The graph of a computation; its state stands among the inputs as `stateInput` names it. */
export function traceComputation({inputs, state, body}: Computation): Graph {
  const stateInputs = Object.entries(state).map(([name, spec]) => [stateInput(name), spec] as const);
  return trace({...inputs, ...Object.fromEntries(stateInputs)}, tensors => {
    const named = Object.keys(state).map(name => [name, tensors[stateInput(name)]!] as const);
    return body({...tensors, ...Object.fromEntries(named)});
  });
}

/** A kept value is the output of one part and the input of another, under two names in the graphs. */
export const keptOutput = (name: string): string => `${name}.kept`;

/** The parts of a staged computation by name. */
export function traceParts(computation: StagedComputation): Map<string, PartGraph> {
  const parts = cutIntoParts(trace(computation.inputs, computation.body), computation.parts);
  return new Map([...parts].map(([name, part]) => [name, {...part, ...withTurnedInputs(part)}]));
}

/** The graph of one part, with what it keeps among its outputs. */
export function partGraph(part: PartGraph): Graph {
  const kept = [...part.kept].map(([key, value]) => [keptOutput(key), value] as const);
  return {...part, outputs: new Map([...part.outputs, ...kept])};
}

const turnedMatrices = new WeakMap<Float32Array, Float32Array>();

/** The transpose of a matrix [columns, rows] as [rows, columns]; made once a matrix. */
export function transposed(data: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  let values = turnedMatrices.get(data);
  if (values === undefined) {
    values = new Float32Array(data.length);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) values[row * columns + column] = data[column * rows + row]!;
    turnedMatrices.set(data, values);
  }
  return values;
}
