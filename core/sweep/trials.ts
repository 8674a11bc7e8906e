import {alphaOf} from './alpha.ts';
import {axisKeys} from './axes/keys.ts';
import {type Alpha, type MethodSettings, nameOf, noRank, type Sweep, type Trial} from './sweep.ts';

/**
 * Every trial of a sweep, in this order: methods as in the file, then ranks, batch sizes, further axes as they stand in ids,
 * learning rates (rising) and seeds, the last one changing fastest.
 */
export function expandTrials({methods}: Pick<Sweep, 'methods'>): Trial[] {
  return methods.flatMap(settings => {
    const {method, name, ranks, batchSizes, learningRates, seeds, options, variant, own, order} = settings;
    const names = rateNames(learningRates);
    const places = placesOf(settings);
    const fixed = {
      ...(options && {options}),
      ...(variant !== undefined && {variant}),
      ...(name !== undefined && {name}),
      ...(own && {own}),
      ...(order !== undefined && {order}),
    };
    const trials: Trial[] = [];
    for (const rank of ranks)
      for (const batchSize of batchSizes)
        for (const {parts, alpha, at} of places)
          for (const [index, learningRate] of learningRates.entries())
            for (const seed of seeds) {
              const id = trialId(
                {method, ...(name !== undefined && {name}), rank, batchSize, seed},
                names[index]!,
                parts,
              );
              trials.push({
                id,
                method,
                rank,
                alpha: alphaOf(alpha, rank),
                batchSize,
                learningRate,
                seed,
                ...fixed,
                ...at,
              });
            }
    return trials;
  });
}

/** One value of each further axis. */
interface Place {
  parts: string[];
  alpha: Alpha;
  at: Pick<Trial, 'model' | 'settings'>;
}

function placesOf({axes = {}, alpha, alphas, settings = {}}: MethodSettings): Place[] {
  let places: {parts: string[]; alpha: Alpha; settings: Record<string, string>}[] = [
    {parts: [], alpha, settings: {...settings}},
  ];
  for (const key of axisKeys) {
    const values = axes[key];
    if (!values) continue;
    places = places.flatMap(place =>
      values.map(({text, part}, k) => ({
        parts: [...place.parts, part],
        alpha: key === 'alpha' ? alphas![k]! : place.alpha,
        settings: {...place.settings, [key]: text},
      })),
    );
  }
  return places.map(({settings: {model, ...others}, ...place}) => ({
    ...place,
    at: {...(model !== undefined && {model}), ...(Object.keys(others).length > 0 && {settings: others})},
  }));
}

/** Readable and stable; `rateName` is one of `rateNames`. Trials without a rank do not name one; `parts`: of further axes. */
export function trialId(
  {rank, batchSize, seed, ...named}: Pick<Trial, 'method' | 'name' | 'rank' | 'batchSize' | 'seed'>,
  rateName: string,
  parts: readonly string[] = [],
): string {
  const size = rank === noRank ? '' : `-r${rank}`;
  return `${[`${nameOf(named)}${size}-b${batchSize}`, ...parts].join('-')}-lr${rateName}-s${seed}`;
}

/**
 * Rates as they stand in ids: three digits (`2.00e-5`), and more only for those that would else look like a neighbour.
 * `rates` rise, and rounding keeps the order, so looking at the neighbours is enough.
 */
export function rateNames(rates: readonly number[]): string[] {
  return rates.map((rate, index) => {
    const neighbours = [rates[index - 1], rates[index + 1]].filter(neighbour => neighbour !== undefined);
    for (let digits = 2; digits < 16; digits += 1) {
      const name = rate.toExponential(digits);
      if (neighbours.every(neighbour => neighbour.toExponential(digits) !== name)) return name;
    }
    // 17 digits tell any two numbers apart.
    return rate.toExponential(16);
  });
}
