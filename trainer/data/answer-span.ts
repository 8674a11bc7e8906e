/** Where an answer stands in what a chat template wrote, if the template has no marks for that. */
import {SweepError} from '../../core/error.ts';
import type {Message, Span, WrittenChat} from '../text/chat-template.ts';
import type {Tokenizer} from '../text/tokenizer.ts';

type Render = (messages: readonly Message[], generationPrompt: boolean) => string;

/**
 * The answer messages[index], its tool calls and thoughts included, from behind the generation prompt to the token that
 * ends the turn. A template that writes a turn in another way once others follow shows it by the loop over its messages.
 * undefined where it shows neither beginning nor end.
 */
export function answerSpan(
  {text, turns}: WrittenChat,
  messages: readonly Message[],
  index: number,
  render: Render,
  tokenizer: Pick<Tokenizer, 'added' | 'eos'>,
): Span | undefined {
  const turn = turns[index];
  const before = attempt(() => render(messages.slice(0, index), true));
  const begins = before !== undefined && text.startsWith(before);
  if (begins) {
    const through = attempt(() => render(messages.slice(0, index + 1), false));
    const isWhole = through?.startsWith(before) && text.startsWith(through);
    if (through !== undefined && isWhole) return spanned(before.length, endOfTurn(text, through.length, tokenizer));
  }
  if (!turn) return undefined;
  // What a later message says, perhaps what a tool answers, may stand inside this turn.
  const isApart = (other: Span | undefined): boolean =>
    other !== undefined && (other.end <= turn.start || other.start >= turn.end);
  if (messages.some(({role}, later) => later > index && role !== 'assistant' && !isApart(turns[later])))
    return undefined;
  const start =
    begins && before.length >= turn.start ? before.length : startIn(text, turn, messages, index, render, tokenizer);
  return start === undefined ? undefined : spanned(start, endOfTurn(text, turn.end, tokenizer));
}

function spanned(start: number, end: number): Span | undefined {
  return start < end ? {start, end} : undefined;
}

/** Some templates refuse a part of what they take as a whole. */
function attempt(render: () => string): string | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof SweepError) throw error;
    return undefined;
  }
}

/** Behind as much of the generation prompt as the turn begins with: it may ask for thoughts that the turn has not. */
function startIn(
  text: string,
  turn: Span,
  messages: readonly Message[],
  index: number,
  render: Render,
  {added}: Pick<Tokenizer, 'added'>,
): number | undefined {
  const prompts = [messages.slice(0, index), [{role: 'user', content: 'x'}]]
    .map(some => generationPrompt(some, render))
    .filter(prompt => prompt !== undefined);
  for (const prompt of prompts) {
    const ends = [prompt.length, ...partEnds(prompt, added)].filter(end => end > 0).sort((a, b) => b - a);
    const end = ends.find(length => text.startsWith(prompt.slice(0, length), turn.start));
    if (end !== undefined) return turn.start + end;
  }
  return prompts.includes('') ? turn.start : undefined;
}

function generationPrompt(messages: readonly Message[], render: Render): string | undefined {
  const [without, whole] = [attempt(() => render(messages, false)), attempt(() => render(messages, true))];
  return without !== undefined && whole?.startsWith(without) ? whole.slice(without.length) : undefined;
}

/** Where a prompt can be left off: before each of its marks but the first. */
function partEnds(prompt: string, added: ReadonlySet<string>): number[] {
  const places = new Set<number>();
  for (const token of added) {
    if (token.trim() === '') continue;
    for (let at = prompt.indexOf(token); at >= 0; at = prompt.indexOf(token, at + 1)) places.add(at);
  }
  for (const {index} of prompt.matchAll(/<[^<>\s]+>/g)) places.add(index);
  places.delete(0);
  return [...places];
}

/** A turn ends with the token that says so: space behind that is the template's. */
function endOfTurn(text: string, end: number, {added, eos}: Pick<Tokenizer, 'added' | 'eos'>): number {
  const turn = text.slice(0, end).trimEnd();
  for (const token of added) if (token.trim() !== '' && turn.endsWith(token)) return turn.length;
  return eos && text.startsWith(eos.text, end) ? end + eos.text.length : end;
}
