/** Sweep files gone wrong in many ways, the same ones every time: characters, words and structure changed at random. */
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {type Random, random} from '../../../trainer/math/random.ts';
import {example, smallest} from './files.ts';

const folder = fileURLToPath(new URL('../../fixtures/sweeps/', import.meta.url));

/** Real files to begin with: the examples, the demo, and the fixtures of the editor's tests. */
export function realTexts(): string[] {
  const demo = readFileSync(new URL('../../../demo/desc.sweep.yaml', import.meta.url), 'utf8');
  const fixtures = readdirSync(folder).filter(name => name.endsWith('.sweep.yaml'));
  return [smallest, example, demo, ...fixtures.map(name => readFileSync(`${folder}${name}`, 'utf8'))];
}

const characters = [...' \n\t\r:#,-[]{}&*!|>\'"%@`?<=\\/.0123456789eE+abcrankmodel\u0000\u00e9\u{1f600}\ufeff'];
const words = [
  ...[
    'model',
    'methods',
    'lora',
    'pissa',
    'learning_rate',
    'rank',
    'alpha',
    'rank*sqrt(rank)',
    'null',
    'true',
    '~',
    '.nan',
  ],
  ...[
    '1e400',
    '-0',
    '0x1F',
    '2026-01-01',
    '<<: *a',
    '&a',
    '*a',
    '!!binary',
    '---',
    '...',
    '? x',
    '|',
    '>-',
    '{',
    '}',
    '[',
    ']',
  ],
];

/** A text changed in one to four places. */
export function mutation(seed: number, texts: readonly string[]): string {
  const numbers = random('mutation', seed);
  let text = texts[numbers.integerBelow(texts.length)]!;
  for (let times = 1 + numbers.integerBelow(4); times > 0; times--) text = change(text, numbers);
  return text;
}

function change(text: string, numbers: Random): string {
  const pick = <T>(list: readonly T[]): T => list[numbers.integerBelow(list.length)]!;
  const at = numbers.integerBelow(text.length + 1);
  const lines = text.split('\n');
  const line = numbers.integerBelow(lines.length);
  const other = numbers.integerBelow(lines.length);
  switch (numbers.integerBelow(12)) {
    case 0:
      return text.slice(0, at) + pick(characters) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + numbers.integerBelow(12));
    case 2:
      return text.slice(0, at) + pick(words) + text.slice(at);
    case 3:
      return text.slice(0, at);
    case 4:
      return lines.toSpliced(line, 1).join('\n');
    case 5:
      return lines.toSpliced(other, 0, lines[line]!).join('\n');
    case 6:
      return lines.toSpliced(line, 1, `${' '.repeat(numbers.integerBelow(6))}${lines[line]!.trimStart()}`).join('\n');
    case 7:
      return lines.toSpliced(line, 1, `- ${lines[line]!}`).join('\n');
    case 8:
      return text.replace(/[\w.-]+/g, word => (numbers.integerBelow(30) === 0 ? pick(words) : word));
    case 9:
      return text.replaceAll('\n', '\r\n');
    case 10:
      return text.slice(0, at) + pick(['{', '[', '"', "'"]).repeat(1 + numbers.integerBelow(80)) + text.slice(at);
    default:
      return text.slice(0, at) + text.slice(numbers.integerBelow(text.length + 1));
  }
}
