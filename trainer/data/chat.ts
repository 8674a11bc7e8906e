/** Conversations to tokens: what the assistant says carries loss, and the mark that ends its turn. */
import {SweepError} from '../../core/error.ts';
import type {ChatTemplate, Message, Span} from '../model/chat-template.ts';
import type {Tokenizer} from '../model/tokenizer.ts';
import {ignored, type TokenRow} from './encode.ts';
import {type Row, rowError} from './row.ts';

/**
 * A conversation as the model sees it. The template writes all special tokens itself. Loss lies on the tokens between
 * the template's {% generation %} marks, as transformers' assistant mask has them; a template without marks is rendered
 * up to each answer to find out where it begins and ends.
 * @throws SweepError `bad-data` (file and row) where the template refuses the messages, or the answers cannot be found
 */
export function encodeChat(
  messages: readonly Message[],
  row: Row,
  {template, tokenizer}: {template: ChatTemplate; tokenizer: Tokenizer},
): TokenRow {
  const {text, spans} =
    refusable(row, () => template.renderMarked(messages)) ?? derived(messages, row, {template, tokenizer});
  const ids = tokenizer.encode(text, {special: false});
  const {ends, written} = placesOf(ids, text, tokenizer);
  if (ends === null) {
    const sentence =
      'the tokenizer changes this text, so that the tokens of the answers cannot be told from the others.';
    throw rowError('bad-data', row, sentence);
  }
  const labels: number[] = Array(ids.length).fill(ignored);
  for (const {start, end} of spans) {
    const first = Buffer.byteLength(written(text.slice(0, start)));
    const last = Buffer.byteLength(written(text.slice(0, end)));
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
export function chatPrompt(
  messages: readonly Message[],
  row: Row,
  {template, tokenizer}: {template: ChatTemplate; tokenizer: Tokenizer},
): number[] {
  const text = refusable(row, () => template.render(messages, {generationPrompt: true}));
  return tokenizer.encode(text, {special: false});
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

function refusable<T>(row: Row, render: () => T): T {
  try {
    return render();
  } catch (error) {
    // It does not end on this row.
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw rowError('bad-data', row, `the chat template refuses this row (${why.slice(0, 200).trim()}).`);
  }
}

/** The answers of a template without marks. */
function derived(
  messages: readonly Message[],
  row: Row,
  {template, tokenizer}: {template: ChatTemplate; tokenizer: Tokenizer},
): {text: string; spans: Span[]} {
  const render = (some: readonly Message[], generationPrompt = false) => template.render(some, {generationPrompt});
  const text = refusable(row, () => render(messages));
  const spans = messages.flatMap(({role}, index): Span[] => {
    if (role !== 'assistant') return [];
    const span = spanOf(text, messages, index, render, tokenizer);
    if (span) return [span];
    const sentence = `the chat template writes messages[${index}] in a way that does not show where the answer begins; put {% generation %} and {% endgeneration %} around the answers in the template.`;
    throw rowError('bad-data', row, sentence);
  });
  return {text, spans};
}

function spanOf(
  text: string,
  messages: readonly Message[],
  index: number,
  render: (messages: readonly Message[], generationPrompt?: boolean) => string,
  {added}: Tokenizer,
): Span | undefined {
  try {
    const before = render(messages.slice(0, index), true);
    if (!text.startsWith(before)) return undefined;
    const through = render(messages.slice(0, index + 1));
    const whole = through.startsWith(before) && text.startsWith(through);
    const end = whole ? through.length : endOfContent(text, messages, index, render);
    return {start: before.length, end: endOfTurn(text, end, whole, added)};
  } catch (error) {
    if (error instanceof SweepError) throw error;
    // Some templates refuse a part of what they take as a whole.
    return undefined;
  }
}

/** Some templates shorten earlier answers (their thoughts). What comes after one stays the same when it gets longer. */
function endOfContent(
  text: string,
  messages: readonly Message[],
  index: number,
  render: (messages: readonly Message[]) => string,
): number {
  const content = String(messages[index]!.content);
  const longer = `${content}${content.endsWith('x') ? 'y' : 'x'}`;
  const other = render(messages.map((message, i) => (i === index ? {...message, content: longer} : message)));
  let same = 0;
  while (same < text.length && text.at(-1 - same) === other.at(-1 - same)) same++;
  return text.length - same;
}

/** A turn ends with the token that says so: space behind that is the template's. */
function endOfTurn(text: string, end: number, included: boolean, added: ReadonlySet<string>): number {
  const marks = [...added];
  if (included) {
    const turn = text.slice(0, end).trimEnd();
    return marks.some(token => turn.endsWith(token)) ? turn.length : end;
  }
  const rest = text.slice(end);
  const gap = rest.length - rest.trimStart().length;
  const longest = marks.filter(token => rest.startsWith(token, gap)).sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? end : end + gap + longest.length;
}
