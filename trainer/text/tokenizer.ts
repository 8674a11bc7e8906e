/** Text to token ids and back: the tokenizer.json of a model folder through @huggingface/tokenizers. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {Tokenizer as HubTokenizer} from '@huggingface/tokenizers';
import {SweepError} from '../../core/error.ts';
import {underClock} from '../files/clock.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import {type CuttingHub, followFlags} from './added-tokens.ts';
import {type Decoder, type DecodingHub, decoderOf} from './decode.ts';
import {boundGrowth, type NormalizingHub} from './growth.ts';
import {specialTokens} from './special-tokens.ts';
import {asSplits} from './splits.ts';
import {addedTokens, prependsSpace, tokenEnds, tokenSpellings} from './token-places.ts';
import {type CachingHub, rememberWords} from './word-caches.ts';

export interface Tokenizer {
  /**
   * `special`: with the tokens that the post-processor puts around a text (bos, eos).
   * @throws SweepError `bad-data` for a text the vocabulary has no tokens for
   */
  encode(text: string, options: {special: boolean}): number[];
  /** The text of ids. */
  decode: Decoder;
  /** Largest id + 1. */
  vocabSize: number;
  /** What the post-processor puts before a text: bos, or nothing. What it puts after one is left to the training data. */
  leading: number[];
  /** The end of a text as tokenizer_config.json names it; null where it names none that is a single token. */
  eos: {id: number; text: string} | null;
  /** Tokens that a text is cut at before all others, like the marks between the turns of a chat. */
  added: ReadonlySet<string>;
  /** The byte of `text` (UTF-8) that each token of its encoding ends before; null where the tokens do not spell it. */
  ends(ids: readonly number[], text: string): Int32Array | null;
  /** The model folder. */
  folder: string;
}

/** The part of the library that is used; its own declarations (0.2.0) cannot be resolved from an ES module. */
interface Hub extends CachingHub, CuttingHub, DecodingHub, NormalizingHub {
  encode(text: string, options?: {add_special_tokens: boolean}): {ids: (number | undefined)[]};
  tokenize(text: string, options: {add_special_tokens: boolean}): string[];
  get_vocab(): Map<string, number>;
  decoder: HubDecoder | null;
}

interface HubDecoder {
  config: {type: string};
  /** Of a sequence. */
  decoders?: HubDecoder[];
}

/**
 * Opens tokenizer.json, and tokenizer_config.json where there is one.
 * @throws SweepError `missing-file`, `bad-model`
 */
export function openTokenizer(folder: string): Tokenizer {
  const file = join(folder, 'tokenizer.json');
  const definition = readJsonFile(file);
  if (!definition) {
    const isGguf = existsSync(folder) && readdirSync(folder).some(name => name.endsWith('.gguf'));
    const where = isGguf
      ? `put the tokenizer.json of the model beside the GGUF file; the one inside is not read`
      : 'the fast tokenizer of the model is needed';
    throw new SweepError('missing-file', `There is no tokenizer.json in ${folder}; ${where}.`, {file});
  }
  const settings = readJsonFile(join(folder, 'tokenizer_config.json')) ?? {};
  const hub = open(definition, settings, file);

  const timed = <T>(work: () => T) => underClock(`The tokenizer ${file}`, work);
  const encode: Tokenizer['encode'] = (text, options) => timed(() => encodeHere(text, options));
  const encodeHere: Tokenizer['encode'] = (text, {special}) => {
    // The library gives undefined where the vocabulary has neither the token nor an unknown token.
    const {ids} = hub.encode(text, {add_special_tokens: special});
    const missing = ids.indexOf(undefined);
    if (missing < 0) return ids.filter(id => id !== undefined);
    const token = hub.tokenize(text, {add_special_tokens: special})[missing];
    throw new SweepError('bad-data', `The tokenizer ${file} has no token for ${JSON.stringify(token)}.`, {file, token});
  };
  const spellingOf = tokenSpellings(definition);
  const prepends = prependsSpace(definition);
  const decode = decoderOf(hub, specialTokens(definition, settings), id => spellingOf(hub.id_to_token(id) ?? ''));
  const hasPatterns = JSON.stringify(definition['decoder'] ?? null).includes('"Regex"');
  return {
    folder,
    added: new Set(addedTokens(definition)),
    ends(ids, text) {
      const tokens = ids.map(id => spellingOf(hub.id_to_token(id) ?? ''));
      return tokenEnds(tokens, Buffer.from(text), prepends);
    },
    encode,
    decode: (ids, options) => (hasPatterns ? timed(() => decode(ids, options)) : decode(ids, options)),
    vocabSize: [...hub.get_vocab().values()].reduce((largest, id) => Math.max(largest, id), -1) + 1,
    leading: leadingIds(encode),
    eos: endOfText(settings, encode),
  };
}

function open(definition: JsonObject, settings: JsonObject, file: string): Hub {
  try {
    const unknown = unknownToken(definition, settings);
    const sound = mended(definition);
    tryNormalizer(sound, file);
    const hub: Hub = new HubTokenizer(sound, {...settings, unk_token: unknown});
    for (const decoder of allDecoders(hub.decoder)) {
      if (decoder.config.type === 'ByteFallback') Object.assign(decoder, {text_decoder: {decode: decodeBytes}});
    }
    followFlags(hub);
    rememberWords(hub);
    boundGrowth(hub, file);
    // Much of a broken file shows only in use.
    underClock(`The tokenizer ${file}`, () => hub.encode('a'));
    return hub;
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError(
      'bad-model',
      `${file} is not a tokenizer that can be used (${why}); if the file is damaged, fetch the model again.`,
      {
        file,
      },
    );
  }
}

/** The library normalizes added tokens while it is made, before anything of it can be bounded: a copy without words does so first. */
function tryNormalizer(definition: JsonObject, file: string): void {
  const added = Array.isArray(definition['added_tokens']) ? definition['added_tokens'].filter(isObject) : [];
  const texts = added.flatMap(({content, normalized}) => (normalized && typeof content === 'string' ? [content] : []));
  if (texts.length === 0 || !definition['normalizer']) return;
  const bare = {...definition, added_tokens: [], model: {type: 'WordLevel', vocab: {}}, pre_tokenizer: null};
  const {normalizer}: Hub = boundGrowth(new HubTokenizer({...bare, post_processor: null, decoder: null}, {}), file);
  underClock(`The tokenizer ${file}`, () => {
    for (const text of texts) normalizer?.normalize(text);
  });
}

/** The definition, with what the library (0.2.0) does otherwise than the reference spelled so that it does the same. */
const mended = (definition: JsonObject): JsonObject => ({
  ...definition,
  normalizer: mendedStep(definition['normalizer'], 'normalizers'),
  pre_tokenizer: asSplits(definition['pre_tokenizer']),
  decoder: mendedStep(definition['decoder'], 'decoders'),
});

/**
 * A step of a normalizer or decoder. Prepend also writes before an empty text, which the reference does not: a replacement at the
 * start of a text that has a first character is the same otherwise. Strip goes by JavaScript's white space. Replace reads `$` in
 * what it writes.
 */
function mendedStep(step: unknown, steps: string): unknown {
  if (!isObject(step)) return step;
  const inner = step[steps];
  if (Array.isArray(inner)) return {...step, [steps]: inner.map(one => mendedStep(one, steps))};
  const replacement = (Regex: string, content: string) => ({
    type: 'Replace',
    pattern: {Regex},
    content: literal(content),
  });
  switch (step['type']) {
    case 'Prepend':
      return typeof step['prepend'] === 'string' ? replacement('\\A(?=[\\s\\S])', step['prepend']) : step;
    case 'Replace':
      return typeof step['content'] === 'string' ? {...step, content: literal(step['content'])} : step;
    case 'Strip': {
      if (steps !== 'normalizers') return step;
      const ends = [...(step['strip_left'] ? ['\\A\\s+'] : []), ...(step['strip_right'] ? ['\\s+\\z'] : [])];
      return ends.length > 0 ? replacement(ends.join('|'), '') : null;
    }
    default:
      return step;
  }
}

const literal = (text: string): string => text.replaceAll('$', '$$$$');

/** The library (0.2.0) looks for a WordLevel model's unknown token in tokenizer_config.json only. */
function unknownToken(definition: JsonObject, settings: JsonObject): unknown {
  const model = isObject(definition['model']) ? definition['model'] : {};
  return model['unk_token'] ?? textOf(settings['unk_token']);
}

function allDecoders(decoder: HubDecoder | null): HubDecoder[] {
  return decoder ? [decoder, ...(decoder.decoders ?? []).flatMap(allDecoders)] : [];
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/**
 * A run of byte tokens as the reference decodes it: one replacement character a byte where it is not UTF-8. The
 * library (0.2.0) drops U+FEFF and writes fewer replacement characters.
 */
function decodeBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return '\uFFFD'.repeat(bytes.length);
  }
}

function leadingIds(encode: Tokenizer['encode']): number[] {
  const whole = encode('a', {special: true});
  const bare = encode('a', {special: false});
  const start = whole.findIndex((_, at) => bare.every((id, i) => whole[at + i] === id));
  return whole.slice(0, Math.max(start, 0));
}

function textOf(token: unknown): string | null {
  const text = isObject(token) ? token['content'] : token;
  return typeof text === 'string' ? text : null;
}

function endOfText(settings: JsonObject, encode: Tokenizer['encode']): Tokenizer['eos'] {
  const text = textOf(settings['eos_token']);
  if (!text) return null;
  const [id, ...more] = encode(text, {special: false});
  return id === undefined || more.length > 0 ? null : {id, text};
}
