import {describe, expect, it} from 'vitest';
import {textIn} from '../../../trainer/data/read/row.ts';
import {parseAsWritten, WrittenNumber} from '../../../trainer/files/written-json.ts';

describe('JSON as it is written', () => {
  const text =
    '{"a": 2.0, "b": 12345678901234567890, "c": 1e3, "d": -0, "e": 0.1, "f": 7, "g": "1.0 \\" 2.0", "h": [1.50, {"i": -3E-2}]}';

  it('keeps the spelling of numbers that JavaScript has another one for', () => {
    const values = parseAsWritten(text) as Record<string, unknown>;
    const row = {values, file: 'rows.jsonl', line: 1};
    expect('abcdefg'.split('').map(name => textIn(row, name))).toEqual([
      '2.0',
      '12345678901234567890',
      '1e3',
      '-0',
      '0.1',
      '7',
      '1.0 " 2.0',
    ]);
    expect(values['h']).toEqual([new WrittenNumber('1.50'), {i: new WrittenNumber('-3E-2')}]);
    expect(textIn({...row, values: {x: true}}, 'x')).toBe('true');
  });

  it('is the same value for whoever wants a number', () => {
    expect(JSON.parse(JSON.stringify(parseAsWritten(text)))).toEqual(JSON.parse(text.replace('-0', '0')));
  });

  it('tells a float that has a whole value from an int, as Python writes large ones', () => {
    expect(parseAsWritten('[1e+22, -1e+100, 1e22, 1e-7, 10]')).toEqual([
      new WrittenNumber('1e+22'),
      new WrittenNumber('-1e+100'),
      new WrittenNumber('1e22'),
      1e-7,
      10,
    ]);
  });

  it('refuses keys whose order would be lost', () => {
    expect(parseAsWritten('{"1": 1, "2": 2, "a": 3}')).toEqual({1: 1, 2: 2, a: 3});
    expect(() => parseAsWritten('[{"b": 1, "2": 2}]')).toThrow(/keys that are whole numbers/);
    expect(() => parseAsWritten('{"2": 1, "1": 2}')).toThrow(/another order cannot be kept/);
  });
});
