/** Conversations in rows: `messages` of {role, content}, ShareGPT's `conversations` of {from, value}, or question and answer. */
import {formats} from '../../core/sweep/formats.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import type {Message} from '../model/chat-template.ts';
import {isObject} from '../model/json-file.ts';
import {columnIn, type Row, rowError} from './row.ts';
import {askedOf} from './template.ts';

/** The roles of ShareGPT's `from`. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
  function_call: 'assistant',
  observation: 'tool',
};

/**
 * The conversation of a row in format messages; of a row in another format a question and its answer.
 * @throws SweepError `missing-column`, `bad-data` with file and row
 */
export function conversationOf(row: Row, data: DataSettings): Message[] {
  if (data.format === 'messages') return messagesIn(row, columnOf(row, data));
  const {prompt, answer} = askedOf(row, data);
  return [
    {role: 'user', content: prompt},
    {role: 'assistant', content: answer},
  ];
}

/** The usual name gives way to ShareGPT's where only that is there. */
function columnOf({values}: Row, {columns}: DataSettings): string {
  const usual = formats.messages.columns['messages']!;
  const named = columns['messages'] ?? usual;
  if (named !== usual || Object.hasOwn(values, named)) return named;
  return Object.hasOwn(values, 'conversations') ? 'conversations' : named;
}

function messagesIn(row: Row, column: string): Message[] {
  const list = columnIn(row, column);
  const where = `column ${JSON.stringify(column)}`;
  if (!Array.isArray(list)) throw rowError('bad-data', row, `${where} is not a list of messages.`);
  if (list.length === 0) throw rowError('bad-data', row, `${where} has no messages.`);
  return list.map((message, index) => messageOf(row, `${column}[${index}]`, message));
}

function messageOf(row: Row, where: string, message: unknown): Message {
  if (!isObject(message)) throw rowError('bad-data', row, `${where} is not an object with role and content.`);
  // A column of a table has every key in every message, absent ones as null.
  const {from, value, ...rest} = Object.fromEntries(Object.entries(message).filter(([, held]) => held !== null));
  const role = rest['role'] ?? (typeof from === 'string' ? (shareGptRoles[from] ?? from) : from);
  if (typeof role !== 'string' || role === '') {
    throw rowError('bad-data', row, `${where} has no role (a text like user or assistant, or from).`);
  }
  const content = textOf(rest['content'] ?? value);
  if (content !== undefined) return {...rest, role, content};
  if (rest['content'] === undefined && value === undefined && 'tool_calls' in rest) return {...rest, role, content: ''};
  throw rowError('bad-data', row, `${where} has no content that is text.`);
}

/** Text, or the parts of a message that has text only. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map(part => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : undefined));
  return parts.includes(undefined) ? undefined : parts.join('');
}
