import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';

const file = (data: string): string =>
  `model: m\ndata:\n  train: a.jsonl\n${data}\nmethods: [lora]\nlearning_rate: 1e-4\n`;
const read = (data: string) => readSweep(file(data));
const problems = (data: string) => read(data).problems.filter(({severity}) => severity === 'error');

describe('settings of chat templates', () => {
  it('are any names and values, and a day', () => {
    const {sweep} = read(
      '  format: messages\n  template_arguments: {enable_thinking: false, effort: high, list: [1, 0.5, null], deep: {a: "2.0"}}\n  template_date: 2025-03-05',
    );
    expect(sweep?.data.templateArguments).toEqual({
      enable_thinking: false,
      effort: 'high',
      list: [1, 0.5, null],
      deep: {a: '2.0'},
    });
    expect(sweep?.data.templateDate).toBe('2025-03-05');
  });

  it('that are the usual ones leave no trace, so that runs of before stay the same', () => {
    expect(read('  format: messages\n  template_date: 2024-07-26').sweep?.data).toEqual(
      read('  format: messages').sweep?.data,
    );
  });

  it.each([
    ['  format: messages\n  template_date: 2025-02-30', /template_date' must be a day like 2024-07-26/],
    ['  format: messages\n  template_date: today', /must be a day/],
    ['  format: messages\n  template_arguments: true', /must be a mapping of names to values/],
    ['  format: messages\n  template_arguments: {messages: []}', /given 'messages' by itself/],
    ['  format: messages\n  template_arguments: {x: 2.0}', /would not be kept as '?2\.0/],
    ['  format: messages\n  template_arguments: {x: 12345678901234567890}', /would not be kept/],
    ['  format: completion\n  template_arguments: {x: 1}', /is for chat templates/],
    ['  template_date: 2025-03-05', /is for chat templates/],
  ])('that cannot be honoured are refused: %s', (data, message) => {
    const found = problems(data);
    expect(found.map(problem => problem.message).join('\n')).toMatch(message);
  });
});
