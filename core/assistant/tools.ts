/** What an assistant may ask of sweeps: each tool is a call of the command, so that assistants, people and programs get the same answers. */
import {isRecord} from '../shape.ts';

export type ToolName = 'check' | 'plan' | 'peaks' | 'trials' | 'samples';

export interface Tool {
  name: ToolName;
  title: string;
  /** For the model that chooses among tools. */
  description: string;
  /** A JSON schema of an object. */
  input: {
    type: 'object';
    properties: Record<
      string,
      {type: 'string' | 'integer' | 'boolean'; description: string; minimum?: number; maximum?: number}
    >;
    required: string[];
    additionalProperties: false;
  };
  /** The words behind `lora-sweep`, of an input without a fault. */
  words(input: ToolInput): string[];
  /** What of the command's output is the answer, as JSON. */
  answer(printed: string, input: ToolInput): unknown;
}

export type ToolInput = Readonly<Record<string, unknown>>;

const file = {type: 'string', description: 'path of a sweep file (*.sweep.yaml)'} as const;
const run = {
  type: 'string',
  description: 'path of a run folder, usually .lora-sweep/NAME beside the sweep file',
} as const;
const limit = {type: 'integer', description: 'how many rows at most (default 50)', minimum: 1, maximum: 1000} as const;
const usualLimit = 50;

const schema = (properties: Tool['input']['properties'], required: string[]): Tool['input'] => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const show =
  (rows: string) =>
  (input: ToolInput): string[] => ['show', String(input['run']), '--rows', rows, '--format', 'json'];

/** The rows that have what was asked for, as many as are wanted, and how many there are. */
function chosen(printed: string, input: ToolInput, isWanted: (row: Record<string, unknown>) => boolean): unknown {
  const all: unknown = JSON.parse(printed);
  const rows = (Array.isArray(all) ? all : []).filter(isRecord).filter(isWanted);
  const most = typeof input['limit'] === 'number' ? input['limit'] : usualLimit;
  return {total: rows.length, rows: rows.slice(0, most)};
}

const has = (input: ToolInput, key: string, value: unknown): boolean =>
  input[key] === undefined || input[key] === value;

export const tools: readonly Tool[] = [
  {
    name: 'check',
    title: 'Check a sweep file',
    description:
      'Problems of a LoRA Sweep file (*.sweep.yaml): errors, warnings and hints with code, message, path and range (lines and characters from 0). An empty list: nothing is wrong.',
    input: schema({file}, ['file']),
    words: ({file: path}) => ['check', String(path), '--json'],
    answer: printed => JSON.parse(printed),
  },
  {
    name: 'plan',
    title: 'Plan a sweep',
    description:
      'What a sweep file would train and cost, without training: the number of trials, steps, memory, estimated time, and the first trials. Takes some seconds.',
    input: schema({file, limit: {...limit, description: 'how many trials are listed at most (default 50)'}}, ['file']),
    words: ({file: path}) => ['plan', String(path), '--json'],
    answer(printed, input) {
      const plan: unknown = JSON.parse(printed);
      if (!isRecord(plan)) return plan;
      const {trials, packs: _, ...rest} = plan;
      const all = Array.isArray(trials) ? trials : [];
      const most = typeof input['limit'] === 'number' ? input['limit'] : usualLimit;
      return {...rest, trials_total: all.length, trials: all.slice(0, most)};
    },
  },
  {
    name: 'peaks',
    title: 'Best learning rates of a run',
    description:
      "Each method at its own best learning rate: mean and deviation over seeds, gap to the baseline with its half width, the verdict's word (better, worse, equivalent, not resolved), and the rates between which the best one lies.",
    input: schema({run}, ['run']),
    words: show('peaks'),
    answer: (printed, input) => chosen(printed, {...input, limit: 1000}, () => true),
  },
  {
    name: 'trials',
    title: 'Trials of a run',
    description:
      'Trials with method, rank, batch size, learning rate, seed, state, steps, seconds, last loss and message.',
    input: schema(
      {
        run,
        method: {type: 'string', description: 'only this method, such as lora'},
        state: {
          type: 'string',
          description: 'only this state: waiting, running, paused, finished, diverged, failed or stopped',
        },
        limit,
      },
      ['run'],
    ),
    words: show('trials'),
    answer: (printed, input) =>
      chosen(printed, input, row => has(input, 'method', row['method']) && has(input, 'state', row['state'])),
  },
  {
    name: 'samples',
    title: 'Answers of a trial',
    description:
      'What trials answered in their evaluations: output, extracted and expected answer, and the verdict on it.',
    input: schema(
      {
        run,
        trial: {type: 'string', description: 'only this trial, by its id'},
        wrong: {type: 'boolean', description: 'only answers that were judged wrong'},
        limit,
      },
      ['run'],
    ),
    words: show('samples'),
    answer: (printed, input) =>
      chosen(
        printed,
        input,
        row => has(input, 'trial', row['trial']) && (input['wrong'] !== true || String(row['verdict']) === 'false'),
      ),
  },
];

/** As editors know it, where all extensions' tools stand together. */
export const toolId = ({name}: Tool): string => `lora_sweep_${name}`;

/** What an input lacks or has wrongly, in a sentence; null where it is as the schema says. */
export function faultOf({name, input: {properties, required}}: Tool, input: unknown): string | null {
  if (!isRecord(input)) return `${name} takes an object`;
  const missing = required.find(key => input[key] === undefined);
  if (missing !== undefined) return `${name} needs ${missing}: ${properties[missing]!.description}`;
  for (const [key, value] of Object.entries(input)) {
    const wanted = properties[key];
    if (!wanted) return `${name} takes no ${key}; it takes ${Object.keys(properties).join(', ')}`;
    const {type, minimum = 1, maximum = 1000} = wanted;
    const fits =
      type === 'integer'
        ? Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum
        : typeof value === type;
    if (!fits)
      return `${key} of ${name} is ${JSON.stringify(value)}; it is to be ${type === 'integer' ? `a whole number from ${minimum} to ${maximum}` : `a ${type}`}`;
    // It would be read as an option of the command.
    if (typeof value === 'string' && (value === '' || value.startsWith('-')))
      return `${key} of ${name} is ${JSON.stringify(value)}, which names nothing`;
  }
  return null;
}
