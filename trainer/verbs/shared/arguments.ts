/** What stands behind an option, read: each refuses with how to write it. */
import {InvalidArgumentError} from 'commander';
import {readSeedWish, type SeedWish} from '../../../core/search/comparing/more-seeds.ts';
import type {EngineName} from '../../../core/sweep/sweep.ts';

/** What `--engine` may name. */
export const engines: readonly EngineName[] = [
  'auto',
  'compiled',
  'tfjs-node-gpu',
  'tfjs-node',
  'webgpu',
  'wasm',
  'cpu',
];

/** Of an option that may be repeated, as it is written. */
export const collectWords = (word: string, earlier: string[]): string[] => [...earlier, word];

export function collect(value: string, earlier: string[]): string[] {
  if (!/^[^=]+=./.test(value)) throw new InvalidArgumentError('Write KEY=VALUE, e.g. method=lora.');
  return [...earlier, value];
}

export function collectSeeds(text: string, earlier: SeedWish[]): SeedWish[] {
  const wish = readSeedWish(text);
  if (!wish) throw new InvalidArgumentError('Write a number from 1 to 1000, or METHOD=NUMBER, e.g. pissa=4.');
  return [...earlier, wish];
}

export function collectColumn(value: string, earlier: Record<string, string>): Record<string, string> {
  const [, name, column] = /^(\w+)=(.+)$/.exec(value) ?? [];
  if (name === undefined || column === undefined)
    throw new InvalidArgumentError('Write NAME=COLUMN, e.g. prompt=question.');
  return {...earlier, [name]: column};
}

export function tokenIds(text: string): {tokens: number[]} {
  if (!/^\d+(\s*,\s*\d+)*$/.test(text)) throw new InvalidArgumentError('Write token ids with commas, e.g. 1,5,7.');
  return {tokens: text.split(',').map(Number)};
}

export function collectStop(text: string, earlier: string[] = []): string[] {
  if (text === '') throw new InvalidArgumentError('Write the text to stop at.');
  return [...earlier, text];
}

export function temperature(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0 && number < Infinity))
    throw new InvalidArgumentError('Write a number from 0.');
  return number;
}

export function probability(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 1)) throw new InvalidArgumentError('Write a number above 0, up to 1.');
  return number;
}

/** `20%` or `0.2`, as a share of 1. */
export function share(text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text.trim()) ?? [];
  const number = Number(digits) / (percent ? 100 : 1);
  if (!(number > 0 && number <= 1)) throw new InvalidArgumentError('Write a share above 0, up to 1, e.g. 20% or 0.2.');
  return number;
}

export function seed(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError('Write a whole number from 0.');
  return number;
}

export function numberList(text: string): number[] {
  return text.split(',').map(positiveInteger);
}

export function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return number;
}
