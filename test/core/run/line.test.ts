import {describe, expect, it} from 'vitest';
import {formatLine, readLine} from '../../../core/run/line.ts';
import {toyEvents} from './toy-run.ts';

describe('a line of events.jsonl', () => {
  it('gives the event back that it was made from', () => {
    for (const event of toyEvents(100)) expect(readLine(formatLine(event).trimEnd()).event).toEqual(event);
  });

  it('starts with the name and the time', () => {
    expect(formatLine({message: 'hello', at: 5, event: 'note'})).toBe('{"event":"note","at":5,"message":"hello"}\n');
  });

  it('stores a number that is not finite as null', () => {
    const line = formatLine({
      event: 'step',
      at: 1,
      trials: ['a'],
      step: 1,
      losses: [Number.NaN],
      rates: [1],
      gradNorms: [Number.POSITIVE_INFINITY],
    });
    expect(readLine(line.trimEnd()).event).toMatchObject({losses: [null], gradNorms: [null]});
  });

  it('is garbage when it is not an object with a name and a time, or its fields do not fit', () => {
    const step = '"trials":["a","b"],"step":1,"losses":[1],"rates":[1],"gradNorms":[1]';
    for (const text of [
      '',
      'x',
      '[]',
      'null',
      '{"event":"note"}',
      '{"event":"note","at":1}',
      `{"event":"step","at":1,${step}}`,
    ]) {
      expect(readLine(text)).toEqual({reason: 'garbage'});
    }
  });

  it('of a later version is told from garbage', () => {
    expect(readLine('{"event":"teleported","at":1}')).toEqual({reason: 'unknown'});
    expect(readLine('{"event":"constructor","at":1}')).toEqual({reason: 'unknown'});
  });

  it('may have fields that this version does not know', () => {
    expect(readLine('{"event":"note","at":1,"message":"m","colour":"red"}').event).toMatchObject({message: 'm'});
  });
});
