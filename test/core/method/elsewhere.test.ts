import {describe, expect, it} from 'vitest';
import {elsewhere} from '../../../core/method/elsewhere.ts';
import {methodNames, methods} from '../../../core/method/methods.ts';
import {publishedEvents} from '../../../core/run/published/events.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {methodMeant} from '../../../core/sweep/table/method-names.ts';

const bare = (word: string): string =>
  word
    .normalize('NFKD')
    .replaceAll('+', 'plus')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

const file = (methods: string): string =>
  `model: m\ndata: {train: a.jsonl}\nlearning_rate: 2e-4\nmethods: ${methods}\n`;

const spellings = Object.entries(elsewhere).flatMap(([title, {alsoKnownAs = []}]) =>
  [title, ...alsoKnownAs].flatMap(word => [word, word.toLowerCase(), word.toLowerCase().replace(/[- ]/g, '_')]),
);

describe('methods of the field that are not here', () => {
  it('have no spelling of a method that is', () => {
    const own = methodNames.flatMap(name => [name, ...methods[name].alsoKnownAs]).map(bare);
    expect(spellings.map(bare).filter(word => own.includes(word))).toEqual([]);
  });

  it('have no spelling twice', () => {
    const words = Object.entries(elsewhere).flatMap(([title, {alsoKnownAs = []}]) => [
      ...new Set([title, ...alsoKnownAs].map(bare)),
    ]);
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it('are never taken for another method, in whatever way they are spelt', () => {
    for (const word of spellings) {
      const {here, elsewhere: sentence} = methodMeant(word);
      expect(here, word).toBeUndefined();
      expect(sentence, word).toMatch(
        /^.+ is a method of its own, which is not here: it .+ Its nearest kin here is '|^LoRA\+ is LoRA .+: write 'lora: \{/,
      );
    }
  });

  it.each([
    ['DyLoRA', 'lora'],
    ['coft', 'oft'],
    ['mora', 'gralora'],
    ['road1', 'boft'],
    ['lora-one', 'lora-ga'],
    ['pvera', 'vera'],
  ])('%s is said not to be here, with its nearest kin, and nothing writes that one in its place', (word, kin) => {
    for (const written of [`{${word}: {}}`, `[${word}]`, word]) {
      const {problems} = readSweep(file(written));
      const [problem, ...others] = problems.filter(({severity}) => severity === 'error');
      expect(others).toEqual([]);
      expect(problem).toMatchObject({code: 'unknown-method', fixes: []});
      expect(problem?.message).toContain(`There is no method '${word}'. `);
      expect(problem?.message).toMatch(new RegExp(`is not here: it .*nearest kin here is '${kin}'`));
    }
  });

  it.each(['LoRA+', 'lora+', 'loraplus', 'lora_plus'])('%s is said to be a key of LoRA', word => {
    const {problems} = readSweep(file(`["${word}"]`));
    const [problem] = problems.filter(({severity}) => severity === 'error');
    expect(problem).toMatchObject({code: 'unknown-method', fixes: []});
    expect(problem?.message).toBe(
      `There is no method '${word}'. LoRA+ is LoRA with a larger learning rate for B: write 'lora: {b_rate_ratio: 16}'.`,
    );
  });

  it('are none that a variant under a name of the user can be one of', () => {
    const {problems} = readSweep(file('{mine: {method: mora}}'));
    const [problem] = problems.filter(({severity}) => severity === 'error');
    expect(problem).toMatchObject({code: 'unknown-method', fixes: []});
    expect(problem?.message).toContain('MoRA is a method of its own');
  });

  it('may be what a user calls a variant of a method that is here', () => {
    const {sweep} = readSweep(
      file('{"LoRA+": {method: lora, b_rate_ratio: 16}, loraplus: {method: lora, b_rate_ratio: 4}}'),
    );
    expect(sweep?.methods.map(({options}) => options?.['b_rate_ratio'])).toEqual([16, 4]);
  });

  it('keep their name where published results have them', () => {
    const row = {
      model: 'm',
      task: 't',
      metric: 'acc',
      method: 'DyLoRA',
      rank: 8,
      batch: 16,
      lr: 1e-4,
      seed: 1,
      value: 1,
    };
    const [started] = publishedEvents([row], 'x', 'x.json');
    expect(started).toMatchObject({trials: [{method: 'DyLoRA'}]});
  });

  it.each([
    ['lroa', 'lora'],
    ['Init[AB]', 'init-ab'],
    ['lorra', 'lora'],
    ['PISA', 'pissa'],
    ['gra', 'gralora'],
    ['rank-stabilized-lora', 'rslora'],
    ['vra', 'vera'],
    ['dra', 'dora'],
    ['bofft', 'boft'],
  ])('leave slips of the pen what they are: %s is %s', (word, name) => {
    expect(methodMeant(word)).toEqual({here: name});
  });

  it("leave a method's own words to its keys", () => {
    const {problems} = readSweep(file('{lora-ga: {variant: paperr}}'));
    expect(problems.find(({severity}) => severity === 'error')).toMatchObject({code: 'unknown-value'});
  });
});
