/** Conversations as text: the chat template of a model folder, rendered as transformers does. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {defaultTemplateDate} from '../../core/sweep/sweep.ts';
import {underClock} from '../files/clock.ts';
import {readText} from '../files/door.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import {toValue} from '../jinja/from-json.ts';
import {compileTemplate, type Rendered, type Template} from '../jinja/template.ts';
import type {Dict, Value} from '../jinja/values.ts';

/** One turn; what else it holds (name, tool calls) is handed to the template. */
export interface Message {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** Where the tokens that carry loss come from, as places in the text: from `start` to before `end`. */
export interface Span {
  start: number;
  end: number;
}

export interface ChatOptions {
  /** With what comes before the next answer. */
  generationPrompt?: boolean;
  /** The tools that the assistant may call, as JSON schemas. */
  tools?: readonly unknown[] | undefined;
}

/** A conversation as text. */
export interface WrittenChat {
  text: string;
  /** The part that each message wrote; undefined where the template shows none. */
  turns: (Span | undefined)[];
  /** Between the template's {% generation %} marks; null where it has none. */
  marked: Span[] | null;
}

export interface ChatTemplate {
  /** @throws Error with the template's own words where it refuses the messages */
  render(messages: readonly Message[], options?: ChatOptions): string;
  /** As `render`, without a generation prompt. */
  write(messages: readonly Message[], options?: Pick<ChatOptions, 'tools'>): WrittenChat;
}

/** What a sweep says of its chats. */
export interface TemplateSettings {
  /** Handed to the template beside the messages, before the special tokens. */
  templateArguments?: Readonly<Record<string, unknown>> | undefined;
  /** The day that strftime_now tells of, as an ISO date: what a model is trained on must not depend on the day. */
  templateDate?: string | undefined;
}

/** Bytes of a template in a file of its own; real ones have a few thousand. */
const mostBytes = 1 << 20;

/** The folder of named chat templates beside a model. */
export const additionalTemplates = 'additional_chat_templates';

/** The templates of a model folder, by name. */
interface Sources {
  file: string;
  named: ReadonlyMap<string, string>;
}

/**
 * Opens the chat template of a model folder, as transformers finds it: chat_template.jinja and
 * additional_chat_templates/*.jinja, else tokenizer_config.json. Of several named ones it is `default`, with tools `tool_use`.
 * @throws SweepError `bad-template` where there is none, or one that cannot be read
 */
export function openChatTemplate(folder: string, settings: TemplateSettings = {}): ChatTemplate {
  const sources = sourcesOf(folder);
  const tokens = specialTokens(folder);
  const own = Object.entries({...tokens, ...settings.templateArguments});
  const date = new Date(`${settings.templateDate ?? defaultTemplateDate}T00:00:00Z`);
  const compiled = new Map<string, Template>();
  const templateFor = (tools: boolean): Template => {
    const name = tools && sources.named.has('tool_use') ? 'tool_use' : 'default';
    let template = compiled.get(name);
    if (!template) {
      template = compile(sources.named.get(name)!, sources.file);
      compiled.set(name, template);
    }
    return template;
  };
  templateFor(false);

  const run = (
    messages: readonly Message[],
    {tools, generationPrompt = false}: ChatOptions,
    watched?: Map<object, number>,
  ): Rendered & {template: Template} => {
    const template = templateFor(tools !== undefined);
    const turns = messages.map((message, index) => {
      const value = toValue(withReasoning(readable(message, index, template))) as Dict;
      watched?.set(value, index);
      return value;
    });
    const context = new Map<string, Value>([
      ['messages', turns],
      ['tools', toValue(tools ?? null)],
      ['documents', null],
      ['add_generation_prompt', generationPrompt],
      ...own.map(([name, value]): [string, Value] => [name, toValue(value)]),
    ]);
    const render = (): Rendered => template.render(context, {date, watched: new Set(watched?.keys())});
    return {...underClock(`The chat template ${sources.file}`, render), template};
  };

  return {
    render: (messages, options = {}) => run(messages, options).text,
    write(messages, options = {}) {
      const watched = new Map<object, number>();
      const {text, spans, regions, lost, template} = run(messages, options, watched);
      if (template.marked && lost) {
        throw new Error(
          'what stands between {% generation %} marks is changed afterwards, so that its place is not known',
        );
      }
      const turns = turnsOf(messages.length, lost ? [] : regions, watched);
      return {text, turns, marked: template.marked ? spans.filter(({start, end}) => end > start) : null};
    },
  };
}

function compile(text: string, file: string): Template {
  try {
    return underClock(`The chat template ${file}`, () => compileTemplate(text));
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError('bad-template', `The chat template in ${file} cannot be read (${why}).`, {file});
  }
}

/** The part that each of so many messages wrote, by what was watched; one that stands in two places has no turn. */
function turnsOf(
  count: number,
  regions: Rendered['regions'],
  watched: ReadonlyMap<object, number>,
): (Span | undefined)[] {
  const turns = new Array<Span | undefined>(count).fill(undefined);
  const unclear = new Set<number>();
  for (const {of, start, end} of regions) {
    const index = watched.get(of)!;
    if (turns[index]) unclear.add(index);
    turns[index] = {start, end};
  }
  return turns.map((turn, index) => (unclear.has(index) ? undefined : turn));
}

/** transformers fills in the names under which templates look for thoughts. */
function withReasoning(message: Message): JsonObject {
  const reasoning = ['reasoning_content', 'thinking', 'reasoning'].map(key => message[key]).find(held => held != null);
  return reasoning === undefined ? message : {thinking: reasoning, ...message, reasoning_content: reasoning};
}

/** The message as the template can read it: with its content in parts, or as a text. */
const readable = (message: Message, index: number, {readsParts}: Template): Message =>
  Array.isArray(message.content) && !readsParts ? {...message, content: onlyText(message.content, index)} : message;

/**
 * A template that takes texts only gets the text of a message's only part, where transformers would write the list as Python
 * prints it. Nothing says what stands between several parts: vLLM puts line ends there.
 */
function onlyText(parts: readonly unknown[], index: number): unknown {
  const [part] = parts;
  if (parts.length === 1) return isObject(part) ? part['text'] : part;
  throw new Error(
    `it takes texts only, and the content of messages[${index}] is a list of ${parts.length} parts; write them as one text`,
  );
}

function sourcesOf(folder: string): Sources {
  const alone = join(folder, 'chat_template.jinja');
  const named = new Map<string, string>();
  const more = join(folder, additionalTemplates);
  if (existsSync(alone)) named.set('default', readText(alone, mostBytes));
  if (existsSync(more)) {
    for (const name of readdirSync(more).sort()) {
      if (name.endsWith('.jinja')) named.set(name.slice(0, -'.jinja'.length), readText(join(more, name), mostBytes));
    }
  }
  if (named.size > 0) return withDefault({file: named.has('default') ? alone : more, named});
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const file = join(folder, name);
    const found = templatesIn(readJsonFile(file)?.['chat_template']);
    if (found) return withDefault({file, named: found});
  }
  const sentence = `The model in ${folder} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); put one there, or choose another data.format or data.template.`;
  throw new SweepError('bad-template', sentence, {folder});
}

/** A template, a list of `{name, template}` or an object of templates by name. */
function templatesIn(value: unknown): ReadonlyMap<string, string> | undefined {
  if (typeof value === 'string') return new Map([['default', value]]);
  const pairs = Array.isArray(value)
    ? value.filter(isObject).map(({name, template}) => [name, template] as const)
    : isObject(value)
      ? Object.entries(value)
      : undefined;
  return (
    pairs && new Map(pairs.flatMap(([name, text]) => (typeof text === 'string' ? [[String(name), text] as const] : [])))
  );
}

function withDefault({file, named}: Sources): Sources {
  if (named.has('default')) return {file, named};
  const names = [...named.keys()].join(', ');
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
