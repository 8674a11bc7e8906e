import type {DataFormat} from '../sweep.ts';

/** What a row of each format holds: the columns that must be there, with their usual names, and those that may be. */
export const formats: Readonly<
  Record<
    DataFormat,
    {columns: Readonly<Record<string, string>>; optional: readonly string[]; inPrompt: readonly string[]}
  >
> = {
  instruction: {
    columns: {instruction: 'instruction', output: 'output'},
    optional: ['input'],
    inPrompt: ['instruction', 'input'],
  },
  completion: {columns: {prompt: 'prompt', completion: 'completion'}, optional: [], inPrompt: ['prompt']},
  messages: {columns: {messages: 'messages'}, optional: [], inPrompt: []},
  text: {columns: {text: 'text'}, optional: [], inPrompt: []},
  tokens: {columns: {}, optional: [], inPrompt: []},
};

/** The names in braces of a prompt, in order: `Q: {instruction}` has `instruction`. */
export function placeholders(prompt: string): string[] {
  return [...prompt.matchAll(/\{(\w+)\}/g)].map(match => match[1]!);
}
