/** Token ids to text: the one place that decides how generated tokens read. */
import type {Spelling} from './token-places.ts';

/** What is used of the tokenizer library. */
export interface DecodingHub {
  decode(ids: number[], options: {skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean}): string;
  id_to_token(id: number): string | undefined;
}

/**
 * The text of ids as they stand, no space cleaned up (whatever tokenizer_config.json says of that); of ids that follow
 * others (`after`: a prompt, or the end of one) only what they add to the text. Ids beyond the vocabulary (models are
 * often padded) count as no text.
 */
export type Decoder = (ids: readonly number[], options: {skipSpecial: boolean; after?: readonly number[]}) => string;

/**
 * `Decoder`. What follows a prompt is the text of both without the characters of the prompt's own, as
 * transformers' `decode(prompt + new)[len(decode(prompt)):]` with clean-up off: decoders treat the start of a text
 * differently (Llama 2 drops a space there), and a character may begin in one token and end in the next. The last tokens
 * of the prompt are enough for that.
 */
export function decoderOf(
  hub: DecodingHub,
  special: ReadonlySet<string>,
  spellingOf: (id: number) => Spelling,
): Decoder {
  const readable = (id: number, skipSpecial: boolean): boolean => {
    const token = hub.id_to_token(id);
    return token !== undefined && !(skipSpecial && special.has(token));
  };
  const textOf = (ids: number[]): string =>
    // The library refuses an empty list.
    ids.length === 0 ? '' : hub.decode(ids, {skip_special_tokens: false, clean_up_tokenization_spaces: false});

  return (ids, {skipSpecial, after = []}) => {
    const context: number[] = [];
    for (let at = after.length - 1; at >= 0; at--) {
      if (!readable(after[at]!, skipSpecial)) continue;
      context.unshift(after[at]!);
      if (beginsText(spellingOf(after[at]!))) break;
    }
    const before = textOf(context);
    const whole = textOf([...context, ...ids.filter(id => readable(id, skipSpecial))]);
    return whole.startsWith(before) ? whole.slice(before.length) : [...whole].slice([...before].length).join('');
  };
}

/** Whether what a token stands for reads the same whatever is before it: a byte may belong to a character begun there. */
function beginsText({kind, bytes}: Spelling): boolean {
  if (kind === 'byte') return false;
  return kind !== 'byte-level' || (bytes.length > 0 && (bytes[0]! & 0xc0) !== 0x80);
}
