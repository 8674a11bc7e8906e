/** Choosing the next token from its logits: the likeliest one, or a draw as transformers' logits processors make it. */

export interface Sampling {
  /** Logits are divided by it; 0 = always the likeliest token. */
  temperature: number;
  /** Only the fewest likeliest tokens whose probabilities reach this sum (Holtzman et al. 2020); 1 = all. */
  topP: number;
  /** Only so many likeliest tokens (Fan et al. 2018), and those as likely as the last of them; 0 = all. */
  topK: number;
}

/** The token with the largest logit, the first of equal ones. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** A token drawn with `u`, uniform on [0, 1). Temperature, then top-k, then top-p, as in transformers. */
export function draw(logits: Float32Array, {temperature, topP, topK}: Sampling, u: number): number {
  const best = likeliest(logits);
  if (temperature === 0) return best;
  const top = logits[best]!;
  const least = topK > 0 && topK < logits.length ? largest(logits, topK) : -Infinity;
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    if (!(logits[id]! >= least)) continue;
    weights[id] = Math.exp((logits[id]! - top) / temperature);
    total += weights[id]!;
  }
  if (!(total > 0 && total < Infinity)) return best;
  if (topP < 1) return drawFromNucleus(weights, total, topP, u);
  let rest = u * total;
  for (let id = 0; id < weights.length; id++) {
    rest -= weights[id]!;
    if (rest < 0 && weights[id]! > 0) return id;
  }
  return best;
}

function drawFromNucleus(weights: Float64Array, total: number, topP: number, u: number): number {
  // All lighter ones together weigh less than what is left out: they need not be sorted.
  const lightest = ((1 - topP) * total) / weights.length;
  const candidates: number[] = [];
  for (let id = 0; id < weights.length; id++) if (weights[id]! > 0 && weights[id]! >= lightest) candidates.push(id);
  candidates.sort((a, b) => weights[b]! - weights[a]! || a - b);
  let kept = 0;
  let mass = 0;
  while (kept < candidates.length && (kept === 0 || mass < topP * total)) mass += weights[candidates[kept++]!]!;
  let rest = u * mass;
  for (const id of candidates.slice(0, kept)) {
    rest -= weights[id]!;
    if (rest < 0) return id;
  }
  return candidates[0]!;
}

/** The count-th largest value. */
function largest(values: Float32Array, count: number): number {
  const found: number[] = [];
  for (const value of values) {
    if (found.length === count && !(value > found[count - 1]!)) continue;
    let low = 0;
    for (let high = found.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (found[middle]! >= value) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, value);
    if (found.length > count) found.pop();
  }
  return found.at(-1)!;
}
