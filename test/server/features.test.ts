import {describe, expect, it} from 'vitest';
import type {Inspection} from '../../core/sweep/inspection.ts';
import {cursorAt} from '../../core/sweep/text/cursor.ts';
import {Lines} from '../../core/sweep/text/lines.ts';
import {codeActions} from '../../server/code-actions.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import type {SweepDocument} from '../../server/document.ts';
import {foldingRanges} from '../../server/folding.ts';
import {formatting} from '../../server/formatting.ts';
import {hover} from '../../server/hover.ts';
import {inlayHints} from '../../server/inlay-hints.ts';
import {symbols} from '../../server/symbols.ts';
import {documentOf, marked} from './marked.ts';

const whole = {start: {line: 0, character: 0}, end: {line: 1000, character: 0}};
const sweep = `# A sweep.
# In two lines of comment.
model: base
data:
  train: train.jsonl
  format: completion
methods: [lora, pissa]
learning_rate: {from: 2e-4, to: 2e-2, per_decade: 4}
rank: [4, 8]
alpha: 2*rank
seeds: [1, 2, 3]
`;

describe('the cursor', () => {
  it.each<[string, string, (string | number)[]]>([
    ['mod▮', 'key', ['mod']],
    ['model: m▮', 'value', ['model']],
    ['model: ▮', 'value', ['model']],
    ['data:\n  tr▮', 'key', ['data', 'tr']],
    ['data: {tr▮', 'key', ['data', 'tr']],
    ['data: {train: a.jsonl, format: ▮', 'value', ['data', 'format']],
    ['data: {\n  train: a,\n  fo▮', 'key', ['data', 'fo']],
    ['methods: [lora, pi▮', 'value', ['methods', 1]],
    ['methods:\n  - lo▮', 'value', ['methods', 0]],
    ['methods:\n- lora\n- ▮', 'value', ['methods', 1]],
    ['methods:\n  pissa: {lea▮', 'key', ['methods', 'pissa', 'lea']],
    ['methods:\n  pissa:\n    learning_rate: {from: 1e-5, t▮', 'key', ['methods', 'pissa', 'learning_rate', 't']],
    ['evaluate:\n  - task: ex▮', 'value', ['evaluate', 0, 'task']],
    ['evaluate:\n  - task: a\n    da▮', 'key', ['evaluate', 0, 'da']],
    ['evaluate:\n  - task: a\n  - ta▮sk: b', 'key', ['evaluate', 1, 'task']],
    ['evaluate: [{task: loss, data: t▮', 'value', ['evaluate', 0, 'data']],
    ['training:\n  steps: 3\n▮', 'key', ['']],
    ['training:\n  steps: 3\n  ▮', 'key', ['training', '']],
    ['rank: [8, 1▮28]', 'value', ['rank', 1]],
    ['learn▮ing_rate: 1e-3', 'key', ['learning_rate']],
  ])('in %j is at a %s of %j', (text, kind, path) => {
    const {text: plain, position} = marked(text);
    expect(cursorAt(new Lines(plain), position)).toMatchObject({kind, path});
  });

  it('in a comment is at nothing', () => {
    for (const text of ['# com▮ment', 'model: x # co▮', '  # ▮']) {
      const {text: plain, position} = marked(text);
      expect(cursorAt(new Lines(plain), position), text).toBeUndefined();
    }
  });
});

/** The hover at the mark, as text. */
function hovered(source: string): string {
  const {text, position} = marked(source);
  const document = documentOf(text);
  // A document that was read once knows its sweep.
  void document.reading;
  const found = hover(document, position);
  return found && typeof found.contents === 'object' && 'value' in found.contents ? found.contents.value : '';
}

describe('hover', () => {
  it('teaches a method: formula, what is trained, cost, known rates with their source, paper', () => {
    const text = hovered(sweep.replace('pissa', 'pis▮sa'));
    expect(text).toContain('W = U S Vᵀ');
    expect(text).toContain('2e-5');
    expect(text).toContain('Qwen3-0.6B-Base');
    expect(text).toContain('arXiv 2602.04998');
    expect(text).toContain('https://arxiv.org/abs/2404.02948');
  });

  it('knows methods as keys too, also in a file that is broken elsewhere', () => {
    expect(hovered('methods:\n  do▮ra: {}\nrank: [')).toContain('DoRA');
  });

  it('says where a rate stands in the ranges of the methods', () => {
    const text = hovered(sweep.replace('to: 2e-2', 'to: 2e▮-2'));
    expect(text).toMatch(/LoRA .*above/);
    expect(text).toMatch(/PiSSA .*above/);
    expect(text).not.toContain('DoRA');
    expect(hovered('methods: {pissa: {learning_rate: [1▮e-7]}}')).toMatch(/PiSSA .*below/);
  });

  it('explains keys with default, study and interactions, and the words they take', () => {
    expect(hovered(sweep.replace('rank:', 'ra▮nk:'))).toMatch(/Default: `8`[\s\S]*The study:/);
    expect(hovered(sweep.replace('completion', 'comple▮tion'))).toContain('prompt and the completion');
    expect(hovered('training: {warm▮up_ratio: 0.1}')).toContain('warm-up');
  });

  it('is silent where nothing stands', () => {
    expect(hovered('model: base\n▮\n')).toBe('');
    expect(hovered('# pis▮sa')).toBe('');
    expect(hovered('cheese: br▮ie')).toBe('');
  });
});

describe('quick fixes', () => {
  it('change what the problem says, and nothing else', () => {
    const document = documentOf(sweep.replace('lora, pissa', 'lora, pisza'));
    const [action] = codeActions(document, {start: {line: 6, character: 16}, end: {line: 6, character: 17}});
    expect(action?.title).toBe('Change to pissa');
    expect(action?.edit?.changes?.[document.uri]).toEqual([
      {range: {start: {line: 6, character: 16}, end: {line: 6, character: 21}}, newText: 'pissa'},
    ]);
    expect(codeActions(document, {start: {line: 2, character: 0}, end: {line: 2, character: 1}})).toEqual([]);
  });
});

describe('the outline, folding, hints and lenses', () => {
  const document = documentOf(sweep);

  it('outline every key with its children', () => {
    const outline = symbols(document);
    expect(outline.map(({name}) => name)).toEqual([
      'model',
      'data',
      'methods',
      'learning_rate',
      'rank',
      'alpha',
      'seeds',
    ]);
    expect(outline[1]?.children?.map(({name}) => name)).toEqual(['train', 'format']);
    expect(outline[2]?.detail).toBe('lora, pissa');
  });

  it('fold mappings and comments', () => {
    expect(foldingRanges(document)).toEqual([
      {startLine: 3, endLine: 5},
      {startLine: 0, endLine: 1, kind: 'comment'},
    ]);
  });

  it('count trials and rates, and say the scale', () => {
    const hints = inlayHints(document, whole);
    expect(hints.map(({label, position}) => `${position.line} ${label as string}`)).toEqual([
      '6 = 108 trials',
      '7 9 rates',
      '9 scale 2',
    ]);
    expect(inlayHints(document, {start: {line: 7, character: 0}, end: {line: 8, character: 0}})).toHaveLength(1);
  });

  it('offer to run a sound sweep, and nothing on a broken one', () => {
    expect(codeLenses(document).map(({command}) => command?.title)).toEqual([
      'Run 108 trials',
      'Submit…',
      'Probe curvature',
    ]);
    expect(codeLenses(documentOf('model: ['))).toEqual([]);
  });
});

describe('a search', () => {
  const {text, position} = marked(`${sweep}evaluate: {task: loss, data: test.jsonl}\nsea▮rch: halving\n`);
  const looked = (steps: Record<string, number>, results: Inspection['results'] = null): SweepDocument => {
    const document = documentOf(text);
    const cost = {steps, seconds: 60, bytes: 2e9};
    expect(document.reading.sweep).toBeDefined();
    document.around = {faults: [], model: null, data: null, cost, results};
    return document;
  };
  const first = (document: SweepDocument) => codeLenses(document)[0]?.command;
  const hovered = (document: SweepDocument) => JSON.stringify(hover(document, position)?.contents);

  it('is offered as what it is expected to train of the grid', () => {
    expect(first(documentOf(text))).toMatchObject({title: 'Search 108 trials', command: 'loraSweep.run'});
    expect(first(looked({16: 400}))?.title).toMatch(
      /^Search 108 trials · about (1\d|2\d) % of the grid · about 1 min.* · 2\.0 GB$/,
    );
  });

  it('promises no share of steps that were counted for another text', () => {
    expect(first(looked({7: 400}))?.title).toMatch(/^Search 108 trials · about 1 min/);
    expect(hovered(looked({7: 400}))).not.toContain('scanned in');
  });

  it('goes on as a search: most of its trials are never finished', () => {
    const results = {
      folder: '/run',
      live: false,
      stored: [],
      done: [],
      settled: false,
      hasTasks: false,
      peaks: [],
      sharpness: [],
    };
    expect(first(looked({16: 400}, results))?.title).toMatch(/^Resume search · /);
    // Until it has nothing left to do: that is said, and there is nothing to press.
    expect(first(looked({16: 400}, {...results, settled: true}))).toEqual({title: 'Search finished', command: ''});
  });

  it('says in its hover what it will cost, where the steps are known', () => {
    expect(hovered(looked({16: 400}))).toMatch(
      /About \d+ of 36 rates are scanned in [\d,]+ steps.*the grid costs \d+\.\d ×/,
    );
    expect(hovered(documentOf(text))).toContain('**search**');
    expect(hovered(documentOf(text))).not.toContain('scanned in');
  });
});

describe('formatting', () => {
  const format = (text: string) => formatting(documentOf(text), {tabSize: 2})[0]?.newText ?? text;

  it('puts indentation and spaces right and keeps comments and meaning', () => {
    const text =
      '# top\nmodel:   base # the base\ndata:\n      train: [ a.jsonl ,b.jsonl]\nmethods:\n- lora # the first\n';
    const formatted = format(text);
    expect(formatted).toBe(
      '# top\nmodel: base # the base\ndata:\n  train: [a.jsonl, b.jsonl]\nmethods:\n  - lora # the first\n',
    );
    expect(format(formatted)).toBe(formatted);
  });

  it('leaves numbers as they are written, and broken files alone', () => {
    const text = 'learning_rate: {from: 1.1247e-5, to: 2e-3}\nrank: 1_000\n';
    expect(format(text)).toBe(text);
    expect(format('model: [\n')).toBe('model: [\n');
  });
});
