import {describe, expect, it} from 'vitest';
import type {Inspector} from '../../core/sweep/inspection.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import {completion} from '../../server/completion.ts';
import {hover} from '../../server/hover.ts';
import {inlayHints} from '../../server/inlay-hints.ts';
import {documentOf, marked} from './marked.ts';

const head = `model: [a, b]
data: {train: train.jsonl}
learning_rate: [1e-4, 2e-4]
`;
const nothing: Inspector = {
  inspect: () => Promise.reject(new Error('not asked for')),
  model: async () => null,
  columns: async () => [],
  candidates: async () => [],
  sweepFiles: async () => [],
};

async function offered(source: string): Promise<string[]> {
  const {text, position} = marked(source);
  return (await completion(documentOf(text), position, nothing)).map(({label}) => label);
}

function said(source: string): string {
  const {text, position} = marked(source);
  return JSON.stringify(hover(documentOf(text), position)?.contents ?? '');
}

describe('completion', () => {
  it.each([
    ['training: {optimizer: [adamw, ▮]}', ['sgd']],
    ['training: {schedule: [▮]}', ['cosine', 'linear', 'constant']],
    ['training: {max_grad_norm: [1, ▮]}', ['off']],
    ['training: {warm▮}', ['warmup_ratio', 'warmup_steps']],
    ['data: {template: [▮]}', ['study', 'chat', 'plain']],
    ['tune: [learning_rate, ▮]', ['alpha', 'training.weight_decay', 'training.optimizer']],
    ['seeds: {▮}', ['start', 'order']],
    ['objective: {▮}', ['mean']],
    ['targets: ▮', ['all']],
    ['methods:\n  mine:\n    ▮', ['method', 'targets', 'training', 'rank']],
    ['methods:\n  mine:\n    method: ▮', ['lora', 'pissa']],
    ['methods:\n  mine: {method: lora, training: {▮}}', ['weight_decay', 'dropout']],
    ['data:\n  math:\n    ▮', ['train', 'evaluate']],
    ['data:\n  math: {evaluate: {task: ▮}}', ['gsm8k']],
  ])('of %j offers %j', async (text, labels) => {
    expect(await offered(`${head.replace(/data.*\n/, '')}${text}`)).toEqual(expect.arrayContaining(labels));
  });
});

describe('an axis', () => {
  const rest = `methods: {lora: {}, mine: {method: lora, targets: [q_proj]}}
alpha: [rank, 16]
tune: [learning_rate, training.weight_decay]
training:
  weight_decay: [0, 0.1]
`;
  const sentence = '2 methods compared × 2 models × 2 alphas, each tuned over 2 rates × 2 decays, 1 seed = 32 trials';

  it('is explained where it stands, with what the sweep compares', () => {
    expect(said(`${head}${rest.replace('  weight', '  wei▮ght')}`)).toContain(sentence);
    expect(said(`${head}${rest.replace('methods', 'me▮thods')}`)).toContain(sentence);
    expect(said(`${head}${rest.replace('training:\n', 'trai▮ning:\n')}`)).not.toContain(sentence);
    expect(said(`${head}${rest.replace('target', 'tar▮get')}`)).toContain('a list of lists');
  });

  it('has its number at the end of its line, and all of them in the lens', () => {
    const document = documentOf(`${head}${rest}`);
    const whole = {start: {line: 0, character: 0}, end: {line: 100, character: 0}};
    const hints = inlayHints(document, whole).map(({label, position}) => `${position.line} ${label as string}`);
    expect(hints).toEqual(expect.arrayContaining(['0 2 models', '4 2 alphas', '7 2 decays', '4 scale 1, scale 2']));
    expect(codeLenses(document).map(({command}) => command?.title)[0]).toBe(`Run ${sentence}`);
  });
});
