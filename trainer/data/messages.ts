/** Conversations in rows: `messages` of {role, content}, ShareGPT's `conversations` of {from, value}, or question and answer. */

import type {DataSettings} from '../../core/sweep/sweep.ts';
import {formats} from '../../core/sweep/table/formats.ts';
import {isObject, type JsonObject} from '../files/json-file.ts';
import {parseAsWritten, WrittenNumber} from '../files/written-json.ts';
import type {Message} from '../text/chat-template.ts';
import {columnIn, type Row, rowError} from './read/row.ts';
import {askedOf} from './template.ts';

export interface Conversation {
  messages: readonly Message[];
  /** Of each message: 0 where it is not learnt, though the assistant says it; absent: all are. */
  weights?: readonly (0 | 1)[];
  /** What the assistant may call; undefined where the row names no tools. */
  tools?: readonly unknown[];
}

/** The roles of ShareGPT's `from`. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  function_call: 'assistant',
  observation: 'tool',
};

/**
 * The conversation of a row in format messages, with the row's `tools` and `system` where it has them; of a row in
 * another format a question and its answer.
 * @throws SweepError `missing-column`, `bad-data` with file and row
 */
export function conversationOf(row: Row, data: DataSettings): Conversation {
  if (data.format === 'messages') return messagesIn(row, columnOf(row, data));
  const {prompt, answer} = askedOf(row, data);
  const messages = [
    {role: 'user', content: prompt},
    {role: 'assistant', content: answer},
  ];
  return {messages};
}

/** The usual name gives way to ShareGPT's where only that is there. */
function columnOf({values}: Row, {columns}: DataSettings): string {
  const usual = formats.messages.columns['messages']!;
  const named = columns['messages'] ?? usual;
  if (named !== usual || Object.hasOwn(values, named)) return named;
  return Object.hasOwn(values, 'conversations') ? 'conversations' : named;
}

function messagesIn(row: Row, column: string): Conversation {
  const list = columnIn(row, column);
  const where = `column ${JSON.stringify(column)}`;
  if (!Array.isArray(list)) throw rowError('bad-data', row, `${where} is not a list of messages.`);
  if (list.length === 0) throw rowError('bad-data', row, `${where} has no messages.`);
  const read = list.map((message, index) => messageOf(row, `${column}[${index}]`, message));
  const system = systemOf(row, column, read[0]!.message);
  const tools = toolsOf(row);
  return {
    messages: [...system, ...read.map(({message}) => message)],
    weights: [...system.map((): 1 => 1), ...read.map(({weight}) => weight)],
    ...(tools && {tools}),
  };
}

/** A row's own system prompt (LLaMA-Factory's `system`), before the messages. */
function systemOf(row: Row, column: string, first: Message): Message[] {
  const {system} = row.values;
  if (system === undefined || system === null || system === '') return [];
  if (typeof system !== 'string') throw rowError('bad-data', row, 'column "system" is not a text.');
  if (first.role !== 'system') return [{role: 'system', content: system}];
  if (first.content === system) return [];
  throw rowError('bad-data', row, `column "system" and ${column}[0] are two different system prompts; leave one out.`);
}

/** The tools of a row: a list of JSON schemas, or the text of one. */
function toolsOf(row: Row): readonly unknown[] | undefined {
  const written = row.values['tools'];
  if (written === undefined || written === null) return undefined;
  if (typeof written === 'string' && written.trim() === '') return undefined;
  const tools = typeof written === 'string' ? jsonIn(row, 'column "tools"', written) : written;
  const list = Array.isArray(tools)
    ? tools.map((tool, index) => (typeof tool === 'string' ? jsonIn(row, `tools[${index}]`, tool) : tool))
    : undefined;
  if (list?.every(isObject)) return list;
  throw rowError(
    'bad-data',
    row,
    'column "tools" is not a list of objects (JSON schemas of functions), or the text of one.',
  );
}

function jsonIn(row: Row, where: string, text: string): unknown {
  try {
    return parseAsWritten(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw rowError('bad-data', row, `${where} is a text that is not JSON (${why}).`);
  }
}

function messageOf(row: Row, where: string, message: unknown): {message: Message; weight: 0 | 1} {
  if (!isObject(message)) throw rowError('bad-data', row, `${where} is not an object with role and content.`);
  // A column of a table has every key in every message, absent ones as null.
  const {
    from,
    value,
    weight: given = 1,
    ...rest
  } = Object.fromEntries(Object.entries(message).filter(([, held]) => held !== null));
  const role = rest['role'] ?? (typeof from === 'string' ? (shareGptRoles[from] ?? from) : from);
  if (typeof role !== 'string' || role === '') {
    throw rowError('bad-data', row, `${where} has no role (a text like user or assistant, or from).`);
  }
  const weight = given instanceof WrittenNumber ? Number(given.text) : given;
  if (weight !== 0 && weight !== 1) {
    const found = JSON.stringify(weight).slice(0, 40);
    throw rowError(
      'bad-data',
      row,
      `${where} has the weight ${found}; it is 1, or 0 for an answer that is not learnt.`,
    );
  }
  if (from === 'function_call' && typeof value === 'string') {
    return {message: {...rest, role, tool_calls: callsIn(row, where, value)}, weight};
  }
  const content = contentOf(rest['content'] ?? value);
  if (content !== undefined) return {message: {...rest, role, content}, weight};
  const isCall = rest['content'] === undefined && value === undefined && 'tool_calls' in rest;
  if (isCall) return {message: {...rest, role}, weight};
  throw rowError('bad-data', row, `${where} has no content that is text.`);
}

/** What ShareGPT's function_call says: {name, arguments} as JSON, or a list of such. */
function callsIn(row: Row, where: string, value: string): JsonObject[] {
  const read = jsonIn(row, where, value);
  const calls = Array.isArray(read) ? read : [read];
  return calls.map(call => {
    if (isObject(call) && typeof call['name'] === 'string' && 'arguments' in call) {
      return {type: 'function', function: {name: call['name'], arguments: call['arguments']}};
    }
    throw rowError('bad-data', row, `${where} is a function_call without name and arguments.`);
  });
}

/** Text, or the parts of a message that has text only. */
function contentOf(content: unknown): string | unknown[] | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  return content.every(part => isObject(part) && typeof part['text'] === 'string') ? content : undefined;
}
