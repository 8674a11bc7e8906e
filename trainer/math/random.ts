/** Reproducible random numbers: every stream has a name, and what one stream draws never moves another. */
import {createHash} from 'node:crypto';
import {unsafeUniformIntDistribution} from 'pure-rand/distribution/UnsafeUniformIntDistribution';
import {xoroshiro128plus} from 'pure-rand/generator/XoroShiro';

/** A stream of random numbers; the same name gives the same numbers on every machine. */
export interface Random {
  /** One number of [0, 1), in steps of 2^-32. */
  next(): number;
  /** `length` float32 values, uniform on [low, high). */
  uniform(length: number, low: number, high: number): Float32Array;
  /** `length` float64 values of the standard normal distribution (Box and Muller 1958). */
  normal(length: number): Float64Array;
  /** A whole number of 0 .. n - 1, every one equally likely; n is at most 2^32. */
  integerBelow(n: number): number;
  /** The numbers 0 .. n - 1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array;
}

/**
 * The stream of this name, for example `random(seed, 'layers.0.q_proj', 'A')`. Each part counts with its type and
 * place: `random('1')`, `random(1)` and `random(1, 0)` are unrelated streams.
 */
export function random(...name: (string | number)[]): Random {
  const hash = createHash('sha256').update(JSON.stringify(name)).digest();
  const generator = xoroshiro128plus.fromState([0, 4, 8, 12].map(offset => hash.readInt32LE(offset)));
  const next = () => (generator.unsafeNext() >>> 0) / 2 ** 32;
  const integerBelow = (n: number) => unsafeUniformIntDistribution(0, n - 1, generator);
  return {
    next,
    integerBelow,
    uniform(length, low, high) {
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) {
        // Rounding to float32 can reach `high`, which does not belong to the range.
        do values[i] = low + (high - low) * next();
        while (values[i]! >= high && high > low);
      }
      return values;
    },
    normal(length) {
      const values = new Float64Array(length);
      for (let i = 0; i < length; i += 2) {
        const radius = Math.sqrt(-2 * Math.log(1 - next()));
        const angle = 2 * Math.PI * next();
        values[i] = radius * Math.cos(angle);
        if (i + 1 < length) values[i + 1] = radius * Math.sin(angle);
      }
      return values;
    },
    permutation(n) {
      const order = Uint32Array.from({length: n}, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = integerBelow(i + 1);
        const moved = order[i]!;
        order[i] = order[j]!;
        order[j] = moved;
      }
      return order;
    },
  };
}
