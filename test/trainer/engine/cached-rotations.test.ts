import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {withCachedRotations} from '../../../trainer/engine/cached-rotations.ts';
import {traceComputation} from '../../../trainer/engine/compilation.ts';
import {openCompiled} from '../../../trainer/engine/compiled.ts';
import type {Computation, Tensors} from '../../../trainer/engine/engine.ts';
import {fused} from '../../../trainer/engine/fused.ts';
import {liveNodes} from '../../../trainer/engine/graph.ts';
import {withoutRepeats} from '../../../trainer/engine/simplify.ts';
import {random} from '../../../trainer/math/random.ts';
import {rotaryTables} from '../../../trainer/model/rotary.ts';

const [sequences, heads, kvHeads, room, reach] = [3, 4, 2, 8, 16];
const macros = fused({merged: false});

/** `turnsKeys`: by the same angles as the queries. */
function computation(size: number, turnsKeys: boolean): Computation {
  const cache = {shape: [sequences, kvHeads, room, size], dtype: 'float32'} as const;
  return {
    inputs: {
      q: {shape: [sequences, heads * size], dtype: 'float32'},
      k: {shape: [sequences, kvHeads * size], dtype: 'float32'},
      v: {shape: [sequences, kvHeads * size], dtype: 'float32'},
      position: {shape: [sequences], dtype: 'int32'},
      row: {shape: [sequences], dtype: 'int32'},
    },
    state: {keys: {...cache, shape: [...cache.shape]}, values: {...cache, shape: [...cache.shape]}},
    inPlace: true,
    packed: true,
    body: ({q, k, v, position, row, keys, values}): Tensors => {
      const {cos, sin} = rotaryTables(reach, size, {theta: 100, scaling: null}, 1);
      const turned = (x: tf.Tensor) => macros.rotaryAt(x, cos, sin, row!);
      const byHead = (x: tf.Tensor, count: number) => tf.reshape(x, [sequences, count, 1, size]);
      const key = byHead(k!, kvHeads);
      const joined = macros.cached(
        turned(byHead(q!, heads)),
        turnsKeys ? turned(key) : key,
        byHead(v!, kvHeads),
        {k: keys!, v: values!},
        position!,
        {scale: 0.3, window: null},
      );
      return {y: joined.y, keys: joined.k, values: joined.v};
    },
  };
}

const opsOf = (size: number, turnsKeys = true): string[] =>
  liveNodes(withCachedRotations(withoutRepeats(traceComputation(computation(size, turnsKeys))))).map(({op}) => op);

describe('rotations of a query and a key', () => {
  it('are left to the attention that reads them', () => {
    expect(opsOf(16)).not.toContain('Rotary');
    expect(opsOf(16)).toContain('CachedAttention');
  });

  it('stay where only one is rotated, and where heads are too narrow for it', () => {
    expect(opsOf(16, false)).toContain('Rotary');
    expect(opsOf(8)).toContain('Rotary');
  });

  it('give what they give apart, each sequence by its own row', async () => {
    const numbers = (name: string, count: number) => Float32Array.from(random('rotation', name).normal(count));
    const size = 16;
    const feeds = {
      q: numbers('q', sequences * heads * size),
      k: numbers('k', sequences * kvHeads * size),
      v: numbers('v', sequences * kvHeads * size),
      position: Int32Array.of(5, 1, 7),
      row: Int32Array.of(5, 15, 2),
    };
    const results = [];
    for (const packsWeights of [false, true]) {
      const engine = openCompiled({threads: 1, packsWeights});
      const program = await engine.compile(computation(size, true));
      const shape = [sequences, kvHeads, room, size];
      const data = (name: string) => ({shape, data: numbers(name, sequences * kvHeads * room * size)});
      const state = engine.state({keys: data('keys'), values: data('values')});
      const {y} = await program.run(feeds, state);
      results.push([...y!, ...(await state.read('keys'))]);
      await engine.dispose();
    }
    const [apart, together] = results as [number[], number[]];
    // Sums of 16 products of numbers up to 4, and weights of up to 8 of them.
    apart.forEach((value, i) => {
      expect(Math.abs(together[i]! - value)).toBeLessThan(4 * 32 * 2 ** -24);
    });
  });
});
