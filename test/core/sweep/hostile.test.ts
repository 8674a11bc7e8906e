import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {example, faults, smallest} from './files.ts';

/** A small generator of numbers in [0, 1), the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const codes = (text: string) => [...new Set(readSweep(text).problems.map(({code}) => code))].sort();

describe('a text that is no sweep', () => {
  it.each(['', ' \n', '# nothing\n', '---\n', '\uFEFF'])('has all keys missing when it is empty: %j', text => {
    const {sweep, problems} = readSweep(text);
    expect(sweep).toBeUndefined();
    expect(problems.map(({path}) => path[0])).toEqual(['model', 'data', 'methods', 'learning_rate']);
  });

  it.each(['mod', '- a', '3', '"model"', '[]'])('is no mapping: %j', text => {
    expect(codes(text)).toEqual(['wrong-type']);
  });

  it.each(['[', '{a: ', '- ', '? ', '[]', 'a:\n'])('may be nested 10,000 deep: %j', opening => {
    expect(
      codes(opening === '[]' ? '['.repeat(10_000) + ']'.repeat(10_000) : opening.repeat(10_000)).length,
    ).toBeGreaterThan(0);
  });

  it('reports where the nesting becomes too deep, and nothing that follows from stopping there', () => {
    expect(codes(`${smallest}rank: ${'['.repeat(10_000)}`)).toEqual(['too-large', 'wrong-type']);
    expect(faults(`${smallest}targets: ${'['.repeat(40)}a${']'.repeat(40)}`)).toEqual([
      `wrong-type targets.0.0 "${'['.repeat(38)}a${']'.repeat(38)}"`,
    ]);
  });

  it('may have several documents, of which the first counts', () => {
    expect(codes(`${smallest}---\n${smallest}`)).toEqual(['syntax']);
  });

  it('may repeat aliases of aliases without taking time or memory', () => {
    const levels = Array.from(
      {length: 40},
      (_, level) => `a${level + 1}: &a${level + 1} [${Array(10).fill(`*a${level}`)}]\n`,
    );
    const merges = Array.from(
      {length: 40},
      (_, level) => `a${level + 1}: &a${level + 1} {<<: [${Array(10).fill(`*a${level}`)}]}\n`,
    );
    expect(codes(`a0: &a0 [1, 2]\n${levels.join('')}${smallest}`)).toEqual(['alias-bomb', 'unknown-key']);
    expect(codes(`a0: &a0 {b: 1}\n${merges.join('')}${smallest}`)).toEqual(['alias-bomb', 'unknown-key']);
  });

  it('may have an alias of itself', () => {
    expect(faults(`${smallest}seeds: &a [*a]\n`)).toEqual(['syntax seeds.0 "*a"']);
    expect(faults(`${smallest}training: &a {<<: *a}\n`)).toEqual(['syntax training.<< "*a"']);
  });

  it('has no keys of JavaScript objects', () => {
    expect(faults(`${smallest}__proto__: 1\nconstructor: 2\ntoString: 3\n`)).toHaveLength(3);
    expect(faults(smallest.replace('[lora]', '[constructor, __proto__]'))).toHaveLength(2);
  });

  it('may end anywhere: every beginning of the example gives a value or an error', () => {
    for (let end = 0; end < example.length; end += 7) {
      const {sweep, problems} = readSweep(example.slice(0, end));
      expect(sweep !== undefined).toBe(problems.every(({severity}) => severity !== 'error'));
    }
  });

  it('may be of 1 MB: comments cost nothing but time, and far too many values are read in part', () => {
    const reading = (text: string) => {
      const {sweep, problems} = readSweep(text);
      expect(problems.length).toBeLessThanOrEqual(501);
      return sweep;
    };
    expect(reading(smallest + '# a comment line\n'.repeat(60_000))).toBeDefined();
    expect(reading(smallest.replace('}', `, template: {prompt: "{instruction} ${'x'.repeat(1e6)}"}}`))).toBeDefined();
    const keys = Array.from({length: 70_000}, (_, index) => `key${index}: ${index}\n`).join('');
    for (const text of [
      keys,
      `rank: [${'1,'.repeat(500_000)}]`,
      'a: b: c\n'.repeat(120_000),
      'rank: [,]'.repeat(100_000),
      'x'.repeat(1e6),
      '\t'.repeat(1e6),
      `${smallest}alpha: ${'rank*'.repeat(2e5)}2`,
    ]) {
      expect(reading(text)).toBeUndefined();
    }
    expect(codes('#'.repeat(5e6))).toEqual(['too-large']);
  });

  it('never makes the reader throw: thousands of mutations of real files', () => {
    const random = randomNumbers(20260204);
    const upTo = (bound: number) => Math.floor(random() * bound);
    const sources = [
      smallest,
      example,
      example.replaceAll('\n', '\r\n'),
      smallest.replace('[lora]', '\n  lora: &own {rank: [4, 8]}\n  dora: {<<: *own, alpha: 2*rank}'),
    ];
    // biome-ignore format: one line a kind
    const pieces = [
      '[', ']', '{', '}', ':', ': ', ',', '- ', '? ', '\n', '\r', '\t', '  ', '#', '"', "'", '|', '>', '|+9', '\\', '@', '`', '%', '=',
      '&a ', '*a', '<<: ', '!!str ', '!!set ', '!!binary ', '!<x> ', '!%zz ', '---\n', '...\n', '%YAML 1.1\n', '%TAG ! x\n',
      '\0', '\ud800', '\u2028', '\ufeff', '😀', '~', 'null', '1e999', '-0', '.nan', 'rank', 'sqrt(rank)', 'learning_rate', '{instruction}',
    ];
    const mutate = (text: string) => {
      const at = upTo(text.length);
      const piece = pieces[upTo(pieces.length)] ?? '';
      const kinds = [
        () => text.slice(0, at) + piece + text.slice(at),
        () => text.slice(0, at) + text.slice(at + 1 + upTo(20)),
        () => text.slice(0, at) + text.slice(upTo(text.length)),
        () => text.slice(0, at) + piece.repeat(1 + upTo(50)) + text.slice(at + 2),
      ];
      return kinds[upTo(kinds.length)]?.() ?? text;
    };
    for (let round = 0; round < 3000; round += 1) {
      let text = sources[upTo(sources.length)] ?? '';
      for (let times = 1 + upTo(4); times > 0; times -= 1) text = mutate(text);
      const {sweep, problems} = readSweep(text);
      const sound = problems.every(({message, range: {start, end}}) => {
        const rising = start.line < end.line || (start.line === end.line && start.character <= end.character);
        return rising && message.length < 500;
      });
      const errors = problems.some(({severity}) => severity === 'error');
      if (!sound || errors === (sweep !== undefined)) expect(problems, text).toBe('sound');
      if (sweep) expect(expandTrials(sweep).length).toBeGreaterThan(0);
    }
  });
});
