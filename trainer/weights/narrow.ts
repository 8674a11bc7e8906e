/** Float32 values in the type a model's file stores, rounded to nearest, ties to even. */
import {SweepError} from '../../core/error.ts';
import type {StoredTensor} from './safetensors.ts';

/**
 * The bytes of `values` for the place of `stored`.
 * @throws SweepError `out-of-range` for values that float16 cannot hold, `bad-model` for types that are not floats
 */
export function narrowed(values: Float32Array, {name, dtype}: Pick<StoredTensor, 'name' | 'dtype'>): Uint8Array {
  const bytesOf = ({buffer, byteOffset, byteLength}: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);
  switch (dtype) {
    case 'F32':
      return bytesOf(values);
    case 'F64':
      return bytesOf(Float64Array.from(values));
    case 'BF16':
      return bytesOf(toBfloat16(values));
    case 'F16': {
      const halves = toFloat16(values);
      if (halves) return bytesOf(halves);
      throw new SweepError(
        'out-of-range',
        `The merged ${name} has values beyond 65504, which float16 cannot hold; merge into a copy of the base in bfloat16 or float32.`,
        {tensor: name},
      );
    }
    default:
      throw new SweepError(
        'bad-model',
        `${name} is stored as ${dtype}; only F32, F16, BF16 and F64 weights can be merged, so take an unquantised copy of the model.`,
        {tensor: name, dtype},
      );
  }
}

function toBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) {
    const word = bits[i]!;
    // Adding just under half a unit, and the lowest kept bit, rounds ties to even.
    halves[i] = Number.isNaN(values[i]) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** Null where a finite value would become infinite. */
function toFloat16(values: Float32Array): Uint16Array | null {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halfOf(values[i]!);
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(values[i])) return null;
    halves[i] = half;
  }
  return halves;
}

/** The IEEE 754 half nearest to a float32. */
function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  // The spacing of halves around the value: 2⁻²⁴ below 2⁻¹⁴, 2¹⁰ steps an octave above.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const steps = roundTiesToEven(size / 2 ** (exponent - 10));
  // A carry into the next octave carries into the exponent's bits by itself.
  return sign | Math.min(0x7c00, ((exponent + 14) << 10) + steps);
}

function roundTiesToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
