import {alphaOf} from './alpha.ts';
import {noRank, type Sweep, type Trial} from './sweep.ts';

/**
 * Every trial of a sweep, in this order: methods as in the file, then ranks, batch sizes, learning rates (rising) and
 * seeds, the last one changing fastest.
 */
export function expandTrials({methods}: Pick<Sweep, 'methods'>): Trial[] {
  const trials: Trial[] = [];
  for (const {method, ranks, batchSizes, learningRates, seeds, alpha, options, variant} of methods) {
    const names = rateNames(learningRates);
    for (const rank of ranks) {
      for (const batchSize of batchSizes) {
        for (const [index, learningRate] of learningRates.entries()) {
          for (const seed of seeds) {
            const id = trialId({method, rank, batchSize, seed}, names[index]!);
            const own = {...(options && {options}), ...(variant !== undefined && {variant})};
            trials.push({id, method, rank, alpha: alphaOf(alpha, rank), batchSize, learningRate, seed, ...own});
          }
        }
      }
    }
  }
  return trials;
}

/** Readable and stable; `rateName` is one of `rateNames`. Trials without a rank do not name one. */
export function trialId(
  {method, rank, batchSize, seed}: Pick<Trial, 'method' | 'rank' | 'batchSize' | 'seed'>,
  rateName: string,
): string {
  const size = rank === noRank ? '' : `-r${rank}`;
  return `${method}${size}-b${batchSize}-lr${rateName}-s${seed}`;
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
