/** A tokenizer.json in the words of llama.cpp: byte-level BPE, cut as one of those that llama.cpp knows by name. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import type {ModelConfig} from '../model/config.ts';
import {openTokenizer} from '../text/tokenizer.ts';
import type {GgufValue} from '../weights/write-gguf.ts';

/** How GPT-4's kin cut a text (tiktoken's cl100k); they differ by how many digits stand together. */
const cl100k = (digits: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const byteLevel = (usesRegex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  use_regex: usesRegex,
});
const split = (regex: string): JsonObject => ({
  type: 'Split',
  pattern: {Regex: regex},
  behavior: 'Isolated',
  invert: false,
});

/** `tokenizer.ggml.pre` of llama.cpp (src/llama-vocab.cpp), what tokenizer.json has for it, and whether whole words pass by merges. */
const cuts: readonly {pre: string; parts: readonly JsonObject[]; ignoresMerges: boolean}[] = [
  {pre: 'qwen2', parts: [split(cl100k('\\p{N}')), byteLevel(false)], ignoresMerges: false},
  {pre: 'llama-bpe', parts: [split(cl100k('\\p{N}{1,3}')), byteLevel(false)], ignoresMerges: true},
  {pre: 'smollm', parts: [{type: 'Digits', individual_digits: true}, byteLevel(true)], ignoresMerges: false},
  {pre: 'gpt-2', parts: [byteLevel(true)], ignoresMerges: false},
];

/** llama.cpp's kinds of tokens. */
const tokenTypes = {normal: 1, control: 3, userDefined: 4, unused: 5} as const;

/**
 * The keys `tokenizer.ggml.*` of a model folder.
 * @throws SweepError `no-gguf` for a tokenizer that llama.cpp does not follow, or not for sure
 */
export function tokenizerKeys(folder: string, config: ModelConfig): [string, GgufValue][] {
  const definition = readJsonFile(join(folder, 'tokenizer.json'));
  const model = isObject(definition?.['model']) ? definition['model'] : {};
  if (definition === null || model['type'] !== 'BPE' || !isObject(model['vocab']) || model['byte_fallback'] === true)
    throw noGguf(
      `its tokenizer is ${String(model['type'] ?? 'not there')}${model['byte_fallback'] ? ' of SentencePiece' : ''}, not byte-level BPE`,
    );
  const cut = cutOf(definition, model);
  const {tokens, types} = vocabularyOf(definition, model['vocab'], config.vocabSize);
  const merges = (Array.isArray(model['merges']) ? model['merges'] : []).map(pair =>
    Array.isArray(pair) ? pair.join(' ') : String(pair),
  );
  const {leading, eos} = openTokenizer(folder);
  const end = eos?.id ?? config.eosIds[0];
  const template = templateOf(folder);
  const id = (key: string, value: number | null | undefined): [string, GgufValue][] =>
    typeof value === 'number' ? [[`tokenizer.ggml.${key}_token_id`, {type: 'uint32', value}]] : [];
  return [
    ['tokenizer.ggml.model', {type: 'string', value: 'gpt2'}],
    ['tokenizer.ggml.pre', {type: 'string', value: cut}],
    ['tokenizer.ggml.tokens', {type: 'strings', value: tokens}],
    ['tokenizer.ggml.token_type', {type: 'int32s', value: types}],
    ['tokenizer.ggml.merges', {type: 'strings', value: merges}],
    ...id('bos', leading[0] ?? config.bosId),
    ...id('eos', end),
    ...id('padding', config.padId),
    ['tokenizer.ggml.add_bos_token', {type: 'bool', value: leading.length > 0}],
    ...(template === null
      ? []
      : [['tokenizer.chat_template', {type: 'string', value: template}] satisfies [string, GgufValue]]),
  ];
}

/** Why a model is not written, and what else can be done. */
export function noGguf(why: string): SweepError {
  return new SweepError(
    'no-gguf',
    `The model cannot be written as GGUF here: ${why}; set LLAMA_CPP to a checkout of llama.cpp to use its converter, or export with --to merged.`,
  );
}

function cutOf(definition: JsonObject, model: JsonObject): string {
  const part = definition['pre_tokenizer'];
  const list =
    isObject(part) && part['type'] === 'Sequence' && Array.isArray(part['pretokenizers'])
      ? part['pretokenizers']
      : [part];
  const known = cuts.find(({parts}) => parts.length === list.length && parts.every((one, k) => isLike(list[k], one)));
  if (!known) throw noGguf('llama.cpp has no name for how its tokenizer cuts a text');
  if ((model['ignore_merges'] === true) !== known.ignoresMerges)
    throw noGguf(
      `its tokenizer ${known.ignoresMerges ? 'merges' : 'passes by merges for'} words that are tokens, which llama.cpp's ${known.pre} does not`,
    );
  const normalizer = isObject(definition['normalizer']) ? definition['normalizer']['type'] : null;
  // llama.cpp's converter takes Qwen's NFC for granted, as texts mostly are in it.
  if (normalizer !== null && !(normalizer === 'NFC' && known.pre === 'qwen2'))
    throw noGguf(`its tokenizer changes texts first (${String(normalizer)})`);
  return known.pre;
}

/** Whether a part has all that is wanted of it; other keys, such as `trim_offsets`, change no token. */
function isLike(part: unknown, wanted: JsonObject): boolean {
  return (
    isObject(part) &&
    Object.entries(wanted).every(([key, value]) =>
      isObject(value) ? isLike(part[key], value) : (part[key] ?? defaults[key]) === value,
    )
  );
}

/** What tokenizers assumes where a key is absent. */
const defaults: Readonly<Record<string, unknown>> = {use_regex: true, add_prefix_space: true, invert: false};

function vocabularyOf(definition: JsonObject, vocab: JsonObject, size: number): {tokens: string[]; types: number[]} {
  const tokens = Array.from({length: size}, (_, id) => `[PAD${id}]`);
  const types = tokens.map((): number => tokenTypes.unused);
  const put = (id: unknown, token: string, type: number): void => {
    if (typeof id !== 'number' || !(id >= 0 && id < size))
      throw noGguf(`its tokenizer has tokens beyond its ${size} embeddings`);
    tokens[id] = token;
    types[id] = type;
  };
  for (const [token, id] of Object.entries(vocab)) put(id, token, tokenTypes.normal);
  for (const added of Array.isArray(definition['added_tokens']) ? definition['added_tokens'] : [])
    if (isObject(added))
      put(
        added['id'],
        String(added['content']),
        added['special'] === true ? tokenTypes.control : tokenTypes.userDefined,
      );
  return {tokens, types};
}

function templateOf(folder: string): string | null {
  const file = join(folder, 'chat_template.jinja');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const template = readJsonFile(join(folder, 'tokenizer_config.json'))?.['chat_template'];
  return typeof template === 'string' ? template : null;
}
