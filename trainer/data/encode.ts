/** Rows to token ids and labels, format by format. */
import {SweepError} from '../../core/error.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import type {ModelConfig} from '../model/config.ts';
import {openChatTemplate} from '../text/chat-template.ts';
import type {Tokenizer} from '../text/tokenizer.ts';
import {encodeChat} from './chat.ts';
import {conversationOf} from './messages.ts';
import {columnIn, type Row, rowError, textIn} from './read/row.ts';
import {textsOf} from './template.ts';
import {ignored, type TokenRow} from './token-row.ts';

export interface EncodingModel {
  /** null is enough for format tokens. */
  tokenizer: Tokenizer | null;
  config: Pick<ModelConfig, 'vocabSize' | 'eosIds'>;
}

/**
 * The way from a row to tokens. Format completion tokenises prompt and completion each by itself and closes with the
 * end-of-text token. Format instruction tokenises the whole text with the end-of-text token as text, and as many tokens
 * carry no loss as the prompt alone has, as in the training script of PiSSA (Meng et al. 2024). Format messages and the
 * template chat leave all special tokens to the model's chat template (chat.ts).
 * @throws SweepError `bad-model` (no tokenizer, no end-of-text token), `bad-template`
 */
export function rowEncoder(data: DataSettings, {tokenizer, config}: EncodingModel): (row: Row) => TokenRow {
  if (data.format === 'tokens') return row => tokensIn(row, config.vocabSize);
  const known = required(tokenizer);
  if (isChat(data)) {
    const chat = {template: openChatTemplate(known.folder, data), tokenizer: known};
    return row => encodeChat(conversationOf(row, data), row, chat);
  }
  const eos = endOfText(known, config);
  const encode = (text: string): number[] => known.encode(text, {special: false});

  if (data.format === 'text') {
    return row => {
      const ids = [...known.leading, ...encode(textIn(row, data.columns['text'] ?? 'text')), eos];
      return {ids, labels: ids};
    };
  }
  if (data.format === 'completion') {
    return row => {
      const {prompt, answer} = textsOf(row, data);
      return masked(promptIds(prompt, known), [...encode(answer), eos]);
    };
  }
  return row => {
    const {prompt, answer, end} = textsOf(row, data);
    const text = prompt + answer + end;
    const ids = [...known.leading, ...(known.eos ? encode(text + known.eos.text) : [...encode(text), eos])];
    const asked = promptIds(prompt, known).length;
    return masked(ids.slice(0, asked), ids.slice(asked));
  };
}

/** As `rowEncoder`; each row's tokens are in the model's vocabulary. @throws SweepError `bad-data` (file and row) */
export function checkedEncoder(data: DataSettings, model: EncodingModel): (row: Row) => TokenRow {
  const encode = rowEncoder(data, model);
  return row => {
    const tokens = encode(row);
    checkVocabulary(tokens.ids, row, model.config);
    return tokens;
  };
}

/** What turns a row into tokens, in words. */
export function whatEncodes(data: DataSettings, {tokenizer}: EncodingModel): string {
  if (data.format === 'tokens' || !tokenizer) return 'Reading rows of tokens';
  return `The tokenizer${isChat(data) ? ' or chat template' : ''} in ${tokenizer.folder}`;
}

/** A prompt begins as every text does; the end-of-text token that some tokenizers add would close it too early. */
export function promptIds(prompt: string, tokenizer: Tokenizer): number[] {
  return [...tokenizer.leading, ...tokenizer.encode(prompt, {special: false})];
}

export function required(tokenizer: Tokenizer | null): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new SweepError('bad-model', 'The model has no tokenizer; only data of format tokens can be used with it.');
}

/** Whether the chat template writes the text of a row. */
export function isChat({format, template}: Pick<DataSettings, 'format' | 'template'>): boolean {
  return format === 'messages' || template === 'chat';
}

function masked(prompt: number[], target: number[]): TokenRow {
  return {ids: [...prompt, ...target], labels: [...prompt.map(() => ignored), ...target]};
}

function endOfText({eos}: Tokenizer, {eosIds}: EncodingModel['config']): number {
  const id = eos?.id ?? eosIds[0];
  if (id !== undefined) return id;
  const sentence = "The model names no end-of-text token; add eos_token_id to the model's config.json.";
  throw new SweepError('bad-model', sentence);
}

/** @throws SweepError `bad-data` (file and row) for a token that the model has no embedding of */
export function checkVocabulary(ids: readonly number[], row: Row, {vocabSize}: Pick<ModelConfig, 'vocabSize'>): void {
  const beyond = ids.find(id => id >= vocabSize);
  if (beyond === undefined) return;
  const sentence = `the tokenizer gives token ${beyond} but the model has only ${vocabSize}: they do not belong together.`;
  throw rowError('bad-data', row, sentence);
}

/**
 * A row `{input_ids, labels, attention_mask?}` that was tokenised elsewhere; padding that the mask marks is cut off.
 * @throws SweepError `missing-column`, `bad-data` with file and line
 */
export function tokensIn(row: Row, vocabSize: number): TokenRow {
  const isToken = (value: unknown): boolean =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < vocabSize;
  const list = (column: string, belongs: (value: unknown) => boolean, what: string): number[] => {
    const values = columnIn(row, column);
    if (!Array.isArray(values))
      throw rowError('bad-data', row, `column ${JSON.stringify(column)} is not a list of numbers.`);
    const wrong = values.findIndex(value => !belongs(value));
    if (wrong < 0) return values;
    const found = JSON.stringify(values[wrong]).slice(0, 40);
    throw rowError('bad-data', row, `${column}[${wrong}] is ${found} where ${what} belongs.`);
  };
  const ids = list('input_ids', isToken, `a token id below ${vocabSize}`);
  const labels = list(
    'labels',
    value => value === ignored || isToken(value),
    `a token id below ${vocabSize} or ${ignored}`,
  );
  const mask = Object.hasOwn(row.values, 'attention_mask')
    ? list('attention_mask', value => value === 0 || value === 1, '0 or 1')
    : ids.map(() => 1);
  if (labels.length !== ids.length || mask.length !== ids.length) {
    const lengths = `input_ids has ${ids.length} values, labels ${labels.length}, attention_mask ${mask.length}`;
    throw rowError('bad-data', row, `${lengths}; they have to be equally long.`);
  }
  const end = mask.lastIndexOf(1) + 1;
  if (mask.indexOf(0) >= 0 && mask.indexOf(0) < end) {
    throw rowError('bad-data', row, 'attention_mask has 0 before 1; rows are padded on the right only.');
  }
  if (labels.slice(end).some(label => label !== ignored)) {
    throw rowError('bad-data', row, `labels of padding (attention_mask 0) have to be ${ignored}.`);
  }
  return {ids: ids.slice(0, end), labels: labels.slice(0, end)};
}
