/** The tokens that are left out where a text is read without special tokens. */
import {isObject, type JsonObject} from '../files/json-file.ts';

/**
 * As transformers 5 has them: what tokenizer.json marks as special, and whatever tokenizer_config.json names as a token of
 * a kind (eos_token, pad_token), in its lists of special tokens or in its table of added ones. Gemma's class names <mask>,
 * which its files do not.
 */
export function specialTokens(definition: JsonObject, settings: JsonObject): ReadonlySet<string> {
  const list = (value: unknown): unknown[] =>
    isObject(value) ? Object.values(value) : Array.isArray(value) ? value : [];
  const marked = [...list(definition['added_tokens']), ...list(settings['added_tokens_decoder'])].filter(
    token => isObject(token) && token['special'] === true,
  );
  const named = Object.entries(settings).flatMap(([key, token]) => (key.endsWith('_token') ? [token] : []));
  const listed = ['additional_special_tokens', 'extra_special_tokens'].flatMap(key => list(settings[key]));
  const ofClass = /^Gemma3?Tokenizer/.test(String(settings['tokenizer_class'])) ? ['<mask>'] : [];
  const texts = [...marked, ...named, ...listed, ...ofClass].map(token => (isObject(token) ? token['content'] : token));
  return new Set(texts.filter(text => typeof text === 'string'));
}
