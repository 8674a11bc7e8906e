import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openProgramFinder} from '../../../trainer/task/programs.ts';

const finder = openProgramFinder();
afterAll(() => finder.close());

const head = 'from typing import List\n\n\ndef f(x: int) -> int:\n    """Doc."""\n';
const found = async (output: string, prompt = head) =>
  (await finder.find({output, prompt, entry: 'f', tests: 'check(f)', reference: 'def f(): pass', setup: ''})).extracted;

// The interpreter starts.
beforeAll(() => found(''));

describe('the program in an answer', () => {
  const whole = 'def f(x):\n    return 1';
  const body = '    return 1';
  it.each([
    ['', ''],
    ['no program here, I am afraid', 'no program here, I am afraid'],
    [`Sure:\n\`\`\`python\n${whole}\n\`\`\`\nThis works.`, whole],
    [`\`\`\`  PyThOn3 title="a"\n${whole}\n\`\`\``, whole],
    [`\`\`\`python\n${whole}\`\`\`\n`, whole],
    ['- ```python\n  def f(x):\n      return 1\n  ```', whole],
    ['> ```python\n> def f(x):\n>     return 1\n> ```\n\nDone', whole],
    ['> 1. So:\n>    ```python\n>    def f(x):\n>        return 1\n>    ```', whole],
    ['Use `f`:\n\n    def f(x):\n        return 1\n\nDone', whole],
    ['\tdef f(x):\n\t\treturn 1', 'def f(x):\n\treturn 1'],
    [` ${whole}`, whole],
    [`${whole}\n  y = 2`, whole],
    [`\0${whole}`, whole],
    [`\uFEFF${whole}`, whole],
    [`def f(x): pass\n\n${whole}\n\ndef f(x):\n    return 2`, whole],
    [`${whole}\n\nassert f() == 1\n\nif __name__ == "__main__":\n    f()\n`, whole],
    [`from __future__ import annotations\n${whole}`, whole],
    ['f = lambda x: x\nprint(f(1))', 'f = lambda x: x'],
    ['@cache\ndef f(x):\n    return 1; y = 2', '@cache\ndef f(x):\n    return 1; y = 2'],
    [
      'def f(x):\n    for T in x:\n        yield T\n\nfor T in [1]:\n    print(f(T))',
      'def f(x):\n    for T in x:\n        yield T',
    ],
    [body, body],
    ['return 1', body],
    [`     return 1`, body],
    [`${body}\n\nprint(f())\n`, body],
    [`${body}\n\ndef other():\n    pass\n`, body],
    [`${body}\n\`\`\`\nThat is it.`, body],
    [`Sure\n\n${body}`, body],
    ['a = 1\nreturn a', '    a = 1\n    return a'],
    ['if x:\n        return 1\n    return 2', '    if x:\n        return 1\n    return 2'],
    ['  if x:\n    return 1\n  return 2', '    if x:\n      return 1\n    return 2'],
    ['     if x: return 1\n    return 2', '    if x: return 1\n    return 2'],
    ['    if x:\n        return 1\n  return 2', '    if x:\n        return 1'],
  ])('of %j is %j', async (output, program) => {
    expect(await found(output)).toBe(program);
  });

  it('has what the tested function needs, and nothing else that runs', async () => {
    const needed =
      'import sys\nsys.setrecursionlimit(10**6)\nmemo = {}\nmemo[1] = 2\nmemo.update({3: 4})\ndef g(x):\n    return memo[x]\ndef f(x):\n    return g(x)';
    const more = "unused = open('x')\nfor i in range(3):\n    print(f(i))\nunittest.main()";
    expect(await found(`${needed}\n${more}`)).toBe(needed);
  });

  it('is put together from several fences', async () => {
    const [first, second] = ['def g(x):\n    return x', 'import math\ndef f(x):\n    return g(x) + math.pi'];
    const output = `First:\n\`\`\`python\n${first}\n\`\`\`\nand then\n\`\`\`python\n${second}\n\`\`\``;
    expect(await found(output)).toBe(`${first}\n${second}`);
  });

  it('may be called what the tests call it where nothing else says its name', async () => {
    const asked = {prompt: '', entry: null, setup: 'import math', reference: 'def sum(a): pass'};
    const tests = 'assert math.isclose(sum([1]), 1) and len([]) == 0';
    const output =
      '```python\ndef longer(a):\n    b = a\n    c = b\n    return c\n```\n```python\ndef sum(a):\n    return 1\n```';
    expect((await finder.find({...asked, tests, output})).extracted).toBe('def sum(a):\n    return 1');
  });

  it('that would keep or break the parser costs this answer only', async () => {
    const hostile = [
      '('.repeat(5000),
      `${'['.repeat(300)}\n`.repeat(300),
      'a(\n'.repeat(3000),
      `f(${'-'.repeat(100_000)}1)`,
    ];
    for (const output of hostile) expect(typeof (await found(output))).toBe('string');
    expect(await found(whole)).toBe(whole);
  });
});
