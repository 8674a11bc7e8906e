/** Which points a chart speaks of. */
import {describe, expect, it} from 'vitest';
import {nearestNamed} from '../../webviews/axes/nearest.ts';

const point = (label: string, x: number, y: number) => ({label, x, y});

describe('the nearest point', () => {
  it('is one that has a name, however near the edge of a band is', () => {
    const points = [point('', 10, 10), point('lora', 14, 10), point('pissa', 30, 10)];
    expect(nearestNamed(points, {x: 10, y: 10})).toEqual([1]);
    expect(nearestNamed(points, {x: 29, y: 11})).toEqual([2]);
  });

  it('is near in both directions', () => {
    expect(nearestNamed([point('lora', 10, 90), point('pissa', 40, 10)], {x: 10, y: 10})).toEqual([1]);
  });

  it('is several where they lie upon each other, and none where nothing has a name', () => {
    expect(nearestNamed([point('lora', 1, 2), point('', 1, 2), point('pissa', 1, 2)], {x: 0, y: 0})).toEqual([0, 2]);
    expect(nearestNamed([point('', 1, 2)], {x: 1, y: 2})).toEqual([]);
    expect(nearestNamed([], {x: 1, y: 2})).toEqual([]);
  });
});
