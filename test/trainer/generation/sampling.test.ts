import {describe, expect, it} from 'vitest';
import {draw, likeliest, type Sampling} from '../../../trainer/generation/sampling.ts';
import {random} from '../../../trainer/math/random.ts';

const vocabulary = 200;
const stream = random(3, 'logits');
const logits = Float32Array.from(stream.normal(vocabulary), value => 3 * value);

/** What transformers' processors leave, by sorting everything: probabilities by id. */
function reference({temperature, topP, topK}: Sampling): number[] {
  const scaled = Array.from(logits, value => value / temperature);
  const order = scaled.map((_, id) => id).sort((a, b) => scaled[b]! - scaled[a]!);
  const afterTopK = topK > 0 ? order.slice(0, topK) : order;
  const weight = (id: number) => Math.exp(scaled[id]! - scaled[order[0]!]!);
  const all = afterTopK.reduce((sum, id) => sum + weight(id), 0);
  let before = 0;
  const kept = afterTopK.filter(id => {
    const keep = before < topP;
    before += weight(id) / all;
    return keep;
  });
  const mass = kept.reduce((sum, id) => sum + weight(id), 0);
  return scaled.map((_, id) => (kept.includes(id) ? weight(id) / mass : 0));
}

describe('a token is drawn', () => {
  const settings: [string, Sampling][] = [
    ['from all of them', {temperature: 1, topP: 1, topK: 0}],
    ['at a higher temperature', {temperature: 1.7, topP: 1, topK: 0}],
    ['from the likeliest few', {temperature: 1, topP: 1, topK: 7}],
    ['from a nucleus', {temperature: 0.8, topP: 0.9, topK: 0}],
    ['from a nucleus of the likeliest few', {temperature: 1.2, topP: 0.6, topK: 12}],
  ];
  it.each(settings)('%s, as often as it is likely', (_, sampling) => {
    const expected = reference(sampling);
    const draws = 40_000;
    const found = new Array<number>(vocabulary).fill(0);
    // Evenly spread numbers instead of random ones: every share is met to within 1 of the draws at each end.
    for (let i = 0; i < draws; i++) found[draw(logits, sampling, (i + 0.5) / draws)]!++;
    expected.forEach((share, id) => {
      expect(Math.abs(found[id]! - share * draws)).toBeLessThanOrEqual(2);
      if (share === 0) expect(found[id]).toBe(0);
    });
  });

  it('that is the likeliest at temperature 0 or among one', () => {
    const best = likeliest(logits);
    for (const u of [0, 0.5, 1 - 2 ** -32]) {
      expect(draw(logits, {temperature: 0, topP: 1, topK: 0}, u)).toBe(best);
      expect(draw(logits, {temperature: 1, topP: 1, topK: 1}, u)).toBe(best);
      expect(draw(logits, {temperature: 1, topP: 1e-9, topK: 0}, u)).toBe(best);
    }
  });

  it('that exists, when no logit is a number', () => {
    const broken = new Float32Array(5).fill(NaN);
    expect(draw(broken, {temperature: 1, topP: 0.9, topK: 2}, 0.5)).toBe(0);
  });
});
