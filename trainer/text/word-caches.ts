/** Words that come again and again are cut into tokens once: what the tokenizer library (0.2.0) spends most of its time on. */
import {cutAsReference, type SplittingPart} from './splits.ts';

/** The parts of the library that are replaced; what is not there is left alone. */
export interface CachingHub {
  model: {cache?: {get(word: string): unknown; put(word: string, tokens: unknown): void; clear(): void}};
  pre_tokenizer: PreTokenizer | null;
}

interface PreTokenizer extends SplittingPart {
  /** Of a sequence. */
  tokenizers?: PreTokenizer[];
  add_prefix_space?: boolean;
  text_encoder?: {encode(text: string): Uint8Array};
  byte_encoder?: Record<number, string>;
}

const most = 200_000;
/** Longer ones hardly come again. */
const longest = 256;

/** Forgets all when full: keeping an order of use, as the library does, costs more than cutting a few words again. */
class WordCache<T> {
  private readonly known = new Map<string, T>();

  get(word: string): T | undefined {
    return this.known.get(word);
  }

  put(word: string, tokens: T): void {
    if (this.known.size >= most) this.known.clear();
    this.known.set(word, tokens);
  }

  clear(): void {
    this.known.clear();
  }
}

/** Makes the library cut texts as the reference does, and gives it faster memories. */
export function rememberWords(hub: CachingHub): void {
  if (hub.model.cache) hub.model.cache = new WordCache();
  for (const part of partsOf(hub.pre_tokenizer)) {
    cutAsReference(part);
    const {text_encoder: encoder, byte_encoder: letters, pattern} = part;
    if (part.config?.type !== 'ByteLevel' || !encoder || !letters || !pattern) continue;
    const spelled = new WordCache<string>();
    part.pre_tokenize_text = text => {
      const whole = part.add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
      const words = part.use_regex ? (whole.match(pattern) ?? []) : [whole];
      return words.map(word => {
        const known = spelled.get(word);
        if (known !== undefined) return known;
        const bytes = Array.from(encoder.encode(word), byte => letters[byte]).join('');
        if (word.length < longest) spelled.put(word, bytes);
        return bytes;
      });
    };
  }
}

function partsOf(part: PreTokenizer | null): PreTokenizer[] {
  return part ? [part, ...(part.tokenizers ?? []).flatMap(partsOf)] : [];
}
