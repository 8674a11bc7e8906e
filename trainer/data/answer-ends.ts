/**
 * Where a generated answer ends: at what the model's files name, at the tokenizer's end of a text, and at what the rows it
 * was trained on end with. A base model's files know nothing of the mark that ends a turn of a chat.
 */
import type {DataSettings} from '../../core/sweep/sweep.ts';
import type {ModelConfig} from '../model/config.ts';
import {type ChatTemplate, openChatTemplate} from '../text/chat-template.ts';
import type {Tokenizer} from '../text/tokenizer.ts';
import type {Dataset} from './dataset.ts';
import {isChat} from './encode.ts';
import {ignored} from './token-row.ts';

export interface AnswerEnds {
  /** Generation ends with one of these tokens. */
  ids: number[];
  /** It ends before one of these texts: marks that the tokenizer has no token for. */
  texts: string[];
}

/** The mark that a chat template writes behind an answer. */
export interface TurnEnd extends AnswerEnds {
  /** The text of its token. */
  token?: string | undefined;
}

interface EndingModel {
  tokenizer: Tokenizer | null;
  config: Pick<ModelConfig, 'eosIds'>;
}

/**
 * The ends of answers of a model that was trained on such data. `rows`: the training rows, by which the mark of format
 * tokens is found.
 * @throws SweepError `bad-template` where the rows need a chat template and there is none
 */
export function answerEnds(data: DataSettings, model: EndingModel, rows?: Dataset): AnswerEnds {
  const {tokenizer} = model;
  if (data.format === 'tokens') return together(model, rows ? markOfRows(rows) : none);
  if (!tokenizer || !isChat(data)) return together(model, none);
  return together(model, markOfTurn(openChatTemplate(tokenizer.folder, data), tokenizer));
}

/**
 * The ends of what an adapter or a model answers. `learnt`: the data it was trained on, where its run folder says so; where
 * nobody knows, the token that ends its chat template's turns counts too. `asked`: data whose answers it gives now.
 * @throws SweepError `bad-template` as above
 */
export function endsOfTrained(
  model: EndingModel,
  learnt: DataSettings | undefined,
  asked?: {data: DataSettings; rows?: Dataset},
): AnswerEnds {
  const before = learnt ? answerEnds(learnt, model) : likelyEnds(model);
  const now = asked ? answerEnds(asked.data, model, asked.rows) : none;
  return {ids: [...new Set([...before.ids, ...now.ids])], texts: [...new Set([...before.texts, ...now.texts])]};
}

function likelyEnds(model: EndingModel): AnswerEnds {
  const {tokenizer} = model;
  const template = tokenizer && templateIfAny(tokenizer.folder);
  return together(model, template ? {...markOfTurn(template, tokenizer), texts: []} : none);
}

const none: AnswerEnds = {ids: [], texts: []};

function together({tokenizer, config}: EndingModel, mark: AnswerEnds): AnswerEnds {
  const eos = tokenizer?.eos ? [tokenizer.eos.id] : [];
  return {ids: [...new Set([...config.eosIds, ...eos, ...mark.ids])], texts: mark.texts};
}

function templateIfAny(folder: string): ChatTemplate | undefined {
  try {
    return openChatTemplate(folder);
  } catch {
    return undefined;
  }
}

/** An answer that no template changes. */
const answer = 'Yes';
export const shortChat = [
  {role: 'user', content: 'Is it so'},
  {role: 'assistant', content: answer},
];

/**
 * What a chat template writes behind an answer: the first token of its own there, and text that stands before it or
 * instead of it.
 */
export function markOfTurn(template: ChatTemplate, tokenizer: Tokenizer): TurnEnd {
  const behind = textBehind(template);
  const marks = [...tokenizer.added].filter(token => /[^\s\u2581]/.test(token) && behind.includes(token));
  const [first] = marks.sort((a, b) => behind.indexOf(a) - behind.indexOf(b) || b.length - a.length);
  const text = (first === undefined ? behind : behind.slice(0, behind.indexOf(first))).trim();
  return {
    ids: first === undefined ? [] : tokenizer.encode(first, {special: false}).slice(-1),
    texts: text === '' ? [] : [text],
    token: first,
  };
}

function textBehind(template: ChatTemplate): string {
  try {
    const text = template.render(shortChat, {generationPrompt: false});
    const at = text.lastIndexOf(answer);
    return at < 0 ? '' : text.slice(at + answer.length);
  } catch {
    // A template that refuses this conversation says nothing about others.
    return '';
  }
}

/** The token that all rows of tokens end with and that stands nowhere else in what is learnt. */
export function markOfRows({count, starts, labels, truncated}: Dataset): AnswerEnds {
  const lastOf = (row: number): number => {
    let at = starts[row + 1]! - 1;
    while (at > starts[row]! && labels[at] === ignored) at--;
    return at;
  };
  const mark = labels[lastOf(0)];
  if (count < 2 || mark === undefined || mark === ignored) return none;
  let others = 0;
  for (let row = 0; row < count; row++) {
    const last = lastOf(row);
    if (labels[last] !== mark) others++;
    let before = 0;
    for (let at = starts[row]!; at < last; at++) {
      if (labels[at] === mark) return none;
      if (labels[at] !== ignored) before++;
    }
    // A row that is nothing but this token is an answer.
    if (before === 0) return none;
  }
  return others <= truncated ? {ids: [mark], texts: []} : none;
}
