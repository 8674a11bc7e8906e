import {InvalidArgumentError} from 'commander';

/** Of `generate`, in the order they were given, whichever kind they are. */
export const prompts: ({text: string} | {tokens: number[]})[] = [];

export function collect(value: string, earlier: string[]): string[] {
  if (!/^[^=]+=./.test(value)) throw new InvalidArgumentError('Write KEY=VALUE, e.g. method=lora.');
  return [...earlier, value];
}

export function collectColumn(value: string, earlier: Record<string, string>): Record<string, string> {
  const [, name, column] = /^(\w+)=(.+)$/.exec(value) ?? [];
  if (name === undefined || column === undefined)
    throw new InvalidArgumentError('Write NAME=COLUMN, e.g. prompt=question.');
  return {...earlier, [name]: column};
}

export function collectText(text: string, earlier: string[]): string[] {
  prompts.push({text});
  return [...earlier, text];
}

export function collectTokens(text: string, earlier: string[]): string[] {
  if (!/^\d+(\s*,\s*\d+)*$/.test(text)) throw new InvalidArgumentError('Write token ids with commas, e.g. 1,5,7.');
  prompts.push({tokens: text.split(',').map(Number)});
  return [...earlier, text];
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
