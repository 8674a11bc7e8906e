/** Where a model's files and its training rows name different ends of an answer. */
import type {Fault} from '../../core/sweep/inspection.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {markOfTurn, shortChat} from '../data/answer-ends.ts';
import {encodeChat} from '../data/chat.ts';
import {isChat} from '../data/encode.ts';
import type {ModelConfig} from '../model/config.ts';
import {openChatTemplate} from '../text/chat-template.ts';
import type {Tokenizer} from '../text/tokenizer.ts';

/** @throws SweepError `bad-template` where the rows need a chat template and there is none */
export function endFaults(
  data: DataSettings,
  {tokenizer, config}: {tokenizer: Tokenizer; config: Pick<ModelConfig, 'eosIds' | 'eosIn'>},
): Fault[] {
  const path = ['data', data.format === 'messages' ? 'format' : 'template'];
  const fault = (severity: 'warning' | 'information', message: string): Fault[] => [
    {code: 'model/end-of-text', severity, message, path},
  ];
  const name = (id: number): string => tokenizer.decode([id], {skipSpecial: false}).trim() || `token ${id}`;
  const {generation, config: own} = config.eosIn;
  const files = [
    {file: 'generation_config.json', ids: generation},
    {file: 'config.json', ids: own},
    {file: 'tokenizer_config.json', ids: tokenizer.eos ? [tokenizer.eos.id] : []},
  ].filter(({ids}) => ids.length > 0);
  const named = files.map(({file, ids}) => `${file}: ${ids.map(name).join(', ')}`).join('; ');

  const chat = isChat(data) ? {template: openChatTemplate(tokenizer.folder, data), tokenizer} : undefined;
  const mark = chat ? markOfTurn(chat.template, tokenizer) : undefined;
  if (chat && mark) {
    const written = [...mark.texts, ...mark.ids.map(name)].join(' ');
    if (written === '')
      return fault(
        'warning',
        'The chat template writes nothing behind an answer, so that a model trained on it does not learn to end one: answers go on until max_new_tokens.',
      );
    if (mark.ids.length > 0 && !learns(chat, mark.ids))
      return fault(
        'warning',
        `The chat template's {% generation %} marks leave out ${written}, which ends an answer: a model trained on it does not learn to end one. Put {% endgeneration %} behind it.`,
      );
  }
  // What rows end with that are no chats.
  const rows = mark ? mark.ids : tokenizer.eos ? [tokenizer.eos.id] : config.eosIds.slice(0, 1);
  const unknown = rows.filter(id => !config.eosIds.includes(id));
  if (unknown.length > 0 || (mark && mark.texts.length > 0)) {
    const ending = [...(mark?.texts ?? []), ...rows.map(name)].join(' ');
    return fault(
      'warning',
      `The training rows end with ${ending}, but the model's own files end a text elsewhere (${named || 'they name no end'}). Answers here end at either; for other programs add ${unknown.length > 0 ? `${unknown.join(', ')} to eos_token_id in generation_config.json` : 'the text to their stop strings'} beside what is exported.`,
    );
  }
  const sets = new Set(files.map(({ids}) => ids.toSorted((a, b) => a - b).join()));
  if (sets.size < 2) return [];
  return fault(
    'information',
    `The model's files name different ends of a text (${named}): answers here end at each of them.`,
  );
}

function learns(chat: {template: ReturnType<typeof openChatTemplate>; tokenizer: Tokenizer}, ids: readonly number[]) {
  try {
    const {labels} = encodeChat({messages: shortChat}, {values: {}, file: 'the chat template', line: 1}, chat);
    return ids.some(id => labels.includes(id));
  } catch {
    // The rows themselves will say what is wrong.
    return true;
  }
}
