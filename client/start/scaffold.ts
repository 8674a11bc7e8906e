/** A first sweep file from what was chosen: a text with comments that passes the check. */
import type {DataFormat} from '../../core/sweep/sweep.ts';

export interface Choices {
  /** As written in the file: relative, with forward slashes, or a hub id. */
  model: string;
  data: string;
  format: DataFormat;
  columns: Readonly<Record<string, string>>;
}

/** Usual names of columns, best first. */
const usual = {
  instruction: ['instruction', 'question', 'query', 'problem', 'input'],
  output: ['output', 'response', 'answer', 'solution', 'completion'],
  prompt: ['prompt'],
  completion: ['completion', 'answer', 'response', 'output'],
};

/** The format that a data file's columns look like, and which column holds what; undefined where none fits. */
export function guessFormat(columns: readonly string[]): Pick<Choices, 'format' | 'columns'> | undefined {
  const chat = ['messages', 'conversations'].find(name => columns.includes(name));
  if (chat !== undefined) return {format: 'messages', columns: {messages: chat}};
  const first = (names: readonly string[]) => names.find(name => columns.includes(name));
  if (columns.includes('input_ids') && columns.includes('labels')) return {format: 'tokens', columns: {}};
  const prompt = first(usual.prompt);
  const completion = first(usual.completion);
  if (prompt !== undefined && completion !== undefined) return {format: 'completion', columns: {prompt, completion}};
  const instruction = first(usual.instruction);
  const output = first(usual.output);
  if (instruction !== undefined && output !== undefined) return {format: 'instruction', columns: {instruction, output}};
  return columns.includes('text') ? {format: 'text', columns: {text: 'text'}} : undefined;
}

export function scaffold({model, data, format, columns}: Choices): string {
  const named = Object.entries(columns).map(([key, column]) => `${key}: ${quoted(column)}`);
  return `# Which LoRA variant is best, each at its own best learning rate?
model: ${quoted(model)}
data:
  train: ${quoted(data)}
  format: ${format}
${named.length > 0 ? `  columns: {${named.join(', ')}}\n` : ''}  max_length: 512
methods: [lora, pissa, dora]
rank: 8
alpha: rank                # a scale of 1 for every method
batch_size: 16
# Four rates per decade, wide enough for the peak of every method.
learning_rate: {from: 2e-5, to: 6.3246e-3, per_decade: 4}
seeds: [1, 2, 3]           # the spread over seeds tells luck from method
training:
  epochs: 1
  schedule: cosine
  warmup_ratio: 0.03
# evaluate:
#   - {task: exact-match, data: test.jsonl, max_new_tokens: 64}
`;
}

/** Text as YAML takes it: plain where that is safe. */
function quoted(text: string): string {
  return /^[\w./][\w./@+-]*$/.test(text) && !/^(true|false|null|~|[\d.+-]+)$/i.test(text) ? text : JSON.stringify(text);
}
