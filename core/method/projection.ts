import type {Fields} from '../sweep/table/field.ts';

/** The key of methods whose frozen random matrices all layers share. */
export const projection = {
  seed: {
    type: {kind: 'number', integer: true, atLeast: 0, atMost: 4_294_967_295},
    doc: "Seed of the frozen random matrices that all layers share. Without it they are drawn from each trial's own seed, so that the spread between seeds holds their luck too.",
    example: '0',
    defaultDoc: 'the seed of the trial',
    alsoKnownAs: ['projection_prng_key', 'projection_seed'],
  },
} as const satisfies Fields;
