/** Conversations as text: the chat template of a model folder, rendered by @huggingface/jinja as transformers would. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {Template} from '@huggingface/jinja';
import {SweepError} from '../../core/error.ts';
import {underClock} from '../files/clock.ts';
import {readText} from '../files/door.ts';
import {isObject, type JsonObject, readJsonFile} from './json-file.ts';

/** One turn; what else it holds (name, tool calls) is handed to the template. */
export interface Message {
  role: string;
  content: unknown;
  [key: string]: unknown;
}

/** Where the tokens that carry loss come from, as places in the text: from `start` to before `end`. */
export interface Span {
  start: number;
  end: number;
}

export interface ChatTemplate {
  /**
   * `generationPrompt`: with what comes before the next answer.
   * @throws Error with the template's own words where it refuses the messages
   */
  render(messages: readonly Message[], options: {generationPrompt: boolean}): string;
  /** With the spans between the template's {% generation %} marks; null where it has none. */
  renderMarked(messages: readonly Message[]): {text: string; spans: Span[]} | null;
}

/** Bytes of a template in a file of its own; real ones have a few thousand. */
const mostBytes = 1 << 20;

/** The template of a model folder: chat_template.jinja, or tokenizer_config.json, or chat_template.json. */
interface Source {
  file: string;
  text: string;
}

/**
 * Opens the chat template of a model folder; of several named ones the one called default. A template that asks
 * whether there is a clock is told that there is none, and takes a date of its own: what a model is trained on must not
 * depend on the day.
 * @throws SweepError `bad-template` where there is none, or one that cannot be read
 */
export function openChatTemplate(folder: string): ChatTemplate {
  const source = sourceOf(folder);
  const tokens = specialTokens(folder);
  const program = compiled(source, withoutMarks(source.text));
  const marked = hasMarks(source.text) ? compiled(source, withMarks(source.text)) : null;
  const run = (template: Template, messages: readonly Message[], generationPrompt: boolean): string =>
    underClock(`The chat template ${source.file}`, () =>
      template.render({...tokens, bounded_range: boundedRange, messages, add_generation_prompt: generationPrompt}),
    );
  return {
    render: (messages, {generationPrompt}) => run(program, messages, generationPrompt),
    renderMarked: messages => (marked ? unmark(run(marked, messages, false)) : null),
  };
}

function compiled({file}: Source, text: string): Template {
  // Only templates that can do without the day's date are kept from it.
  const undated = /strftime_now\s+is\s+(not\s+)?defined/.test(text) ? '{% set strftime_now = undefined %}\n' : '';
  try {
    return underClock(`The chat template ${file}`, () => new Template(bounded + undated + text));
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError('bad-template', `The chat template in ${file} cannot be read (${why}).`, {file});
  }
}

/** Numbers that a template may count over; the library's own list would fill the memory. */
const longestRange = 1_000_000;

/** Python's range; the name is taken, and may be given another meaning by a statement only. */
const bounded = '{% set range = bounded_range %}\n';

function boundedRange(first: number, end?: number, step = 1): number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  if (step === 0) throw new Error('range() has a step of 0');
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= longestRange)) throw new Error(`range() counts over more than ${longestRange} numbers`);
  return Array.from({length}, (_, index) => from + index * step);
}

function sourceOf(folder: string): Source {
  const alone = join(folder, 'chat_template.jinja');
  if (existsSync(alone)) return {file: alone, text: readText(alone, mostBytes)};
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const file = join(folder, name);
    const text = templateIn(readJsonFile(file)?.['chat_template'], file);
    if (text !== undefined) return {file, text};
  }
  const sentence = `The model in ${folder} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); put one there, or choose another data.format or data.template.`;
  throw new SweepError('bad-template', sentence, {folder});
}

/** A template, or a list of `{name, template}`. */
function templateIn(value: unknown, file: string): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.filter(isObject);
  const text = named.find(({name}) => name === 'default')?.['template'];
  if (typeof text === 'string') return text;
  const names = named.map(({name}) => String(name)).join(', ');
  throw new SweepError('bad-template', `None of the chat templates in ${file} is called default (${names}).`, {file});
}

/** bos_token, eos_token and their like, as templates name them. */
function specialTokens(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ['special_tokens_map.json', 'tokenizer_config.json']) {
    const settings: JsonObject = readJsonFile(join(folder, name)) ?? {};
    for (const [key, value] of Object.entries(settings)) {
      const text = isObject(value) ? value['content'] : value;
      if (key.endsWith('_token') && typeof text === 'string') found[key] = text;
    }
  }
  return found;
}

const mark = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;
/** Code points that are no characters stand for the marks in rendered text: no text has them. */
const [opening, closing] = ['\uFDD0', '\uFDD1'];

function hasMarks(template: string): boolean {
  return template.search(mark) >= 0;
}

/** A statement that writes nothing in place of each mark, so that space around it is treated as around any statement. */
function withoutMarks(template: string): string {
  return template.replace(mark, (_, left: string, _end, right: string) => `{%${left} if true %}{% endif ${right}%}`);
}

function withMarks(template: string): string {
  return template.replace(
    mark,
    (_, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}${end ? closing : opening}{% endif ${right}%}`,
  );
}

function unmark(rendered: string): {text: string; spans: Span[]} {
  const spans: Span[] = [];
  let text = '';
  let start = 0;
  for (const part of rendered.split(/([\uFDD0\uFDD1])/)) {
    if (part === opening) start = text.length;
    else if (part === closing) spans.push({start, end: text.length});
    else text += part;
  }
  return {text, spans: spans.filter(({start: from, end}) => end > from)};
}
