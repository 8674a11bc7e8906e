/** Conversations to tokens: what the assistant says carries loss, and the mark that ends its turn. */
import {SweepError} from '../../core/error.ts';
import type {ChatTemplate, Message, Span, WrittenChat} from '../text/chat-template.ts';
import type {Tokenizer} from '../text/tokenizer.ts';
import {answerSpan} from './answer-span.ts';
import type {Conversation} from './messages.ts';
import {type Row, rowError} from './read/row.ts';
import {ignored, type TokenRow} from './token-row.ts';

interface Chat {
  template: ChatTemplate;
  tokenizer: Tokenizer;
}

/**
 * A conversation as the model sees it. The template writes all special tokens itself. Loss lies on the tokens between
 * the template's {% generation %} marks, as transformers' assistant mask has them; without marks on the whole of each
 * answer, from where a generation prompt would end to the token that ends the turn. Messages of weight 0 carry none.
 * @throws SweepError `bad-data` (file and row) where the template refuses the messages, or the answers cannot be found
 */
export function encodeChat(conversation: Conversation, row: Row, {template, tokenizer}: Chat): TokenRow {
  const {tools} = conversation;
  const {messages, result: written} = accepted(conversation.messages, row, some => template.write(some, {tools}));
  const {text} = written;
  const spans = written.marked
    ? learntMarks(written, written.marked, conversation, row)
    : derived(written, {...conversation, messages}, row, {template, tokenizer});
  const ids = tokenizer.encode(text, {special: false});
  const {ends, written: asEncoded} = placesOf(ids, text, tokenizer);
  if (ends === null) {
    const sentence =
      'the tokenizer changes this text, so that the tokens of the answers cannot be told from the others.';
    throw rowError('bad-data', row, sentence);
  }
  const labels: number[] = Array(ids.length).fill(ignored);
  for (const {start, end} of spans) {
    const first = Buffer.byteLength(asEncoded(text.slice(0, start)));
    const last = Buffer.byteLength(asEncoded(text.slice(0, end)));
    for (let token = 0, from = 0; token < ids.length && from < last; from = ends[token++]!) {
      if (ends[token]! > first) labels[token] = ids[token]!;
    }
  }
  return {ids, labels};
}

/**
 * What an answer of the assistant would follow.
 * @throws SweepError `bad-data` (file and row) where the template refuses the messages
 */
export function chatPrompt(messages: readonly Message[], row: Row, chat: Chat, tools?: readonly unknown[]): number[] {
  return chat.tokenizer.encode(chatPromptText(messages, row, chat, tools), {special: false});
}

/** The same as text. */
export function chatPromptText(
  messages: readonly Message[],
  row: Row,
  {template}: Pick<Chat, 'template'>,
  tools?: readonly unknown[],
): string {
  return accepted(messages, row, some => template.render(some, {generationPrompt: true, tools})).result;
}

/** Where the tokens end, in the bytes of the text as the tokenizer sees it: many compose characters first. */
function placesOf(
  ids: readonly number[],
  text: string,
  tokenizer: Tokenizer,
): {ends: Int32Array | null; written: (part: string) => string} {
  const asIs = tokenizer.ends(ids, text);
  if (asIs) return {ends: asIs, written: part => part};
  return {ends: tokenizer.ends(ids, text.normalize('NFC')), written: part => part.normalize('NFC')};
}

/**
 * What the template makes of the messages. A message that only calls tools has no content, as in transformers; a template
 * that asks for it nevertheless gets an empty one.
 */
function accepted<T>(
  messages: readonly Message[],
  row: Row,
  render: (messages: readonly Message[]) => T,
): {messages: readonly Message[]; result: T} {
  const filled = messages.map(message => (message.content === undefined ? {...message, content: ''} : message));
  try {
    return {messages, result: render(messages)};
  } catch (error) {
    if (error instanceof SweepError || messages.every(({content}) => content !== undefined)) throw refusal(error, row);
    return {messages: filled, result: refusable(row, () => render(filled))};
  }
}

function refusable<T>(row: Row, render: () => T): T {
  try {
    return render();
  } catch (error) {
    throw refusal(error, row);
  }
}

function refusal(error: unknown, row: Row): unknown {
  // It does not end on this row.
  if (error instanceof SweepError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return rowError('bad-data', row, `the chat template refuses this row (${why.slice(0, 200).trim()}).`);
}

/** The template's own marks, without those in turns that are not to be learnt. */
function learntMarks(
  {turns}: WrittenChat,
  marked: readonly Span[],
  {weights = []}: Conversation,
  row: Row,
): readonly Span[] {
  const leftOut = weights.flatMap((weight, index) => (weight === 0 ? [index] : []));
  if (leftOut.length === 0) return marked;
  const regions = leftOut.map(index => {
    const turn = turns[index];
    if (turn) return turn;
    throw rowError(
      'bad-data',
      row,
      `the chat template does not show which part of its text is messages[${index}], whose weight is 0.`,
    );
  });
  return marked.filter(({start, end}) => !regions.some(region => region.start <= start && end <= region.end));
}

/** The answers of a template without marks. */
function derived(
  written: WrittenChat,
  {messages, tools, weights}: Conversation,
  row: Row,
  {template, tokenizer}: Chat,
): Span[] {
  return messages.flatMap(({role}, index): Span[] => {
    if (role !== 'assistant' || weights?.[index] === 0) return [];
    const span = answerSpan(
      written,
      messages,
      index,
      (some, generationPrompt) => template.render(some, {generationPrompt, tools}),
      tokenizer,
    );
    if (span) return [span];
    const sentence = `the chat template writes messages[${index}] in a way that does not show where the answer begins; put {% generation %} and {% endgeneration %} around the answers in the template.`;
    throw rowError('bad-data', row, sentence);
  });
}
