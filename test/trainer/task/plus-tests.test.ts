import {afterAll, expect, it} from 'vitest';
import {humaneval, mbpp} from '../../../trainer/task/code.ts';
import {openProgramFinder} from '../../../trainer/task/programs.ts';
import {openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';

const sandbox = openSandbox(2);
const programs = openProgramFinder();
const tools = {sandbox: () => sandbox, programs: () => programs, scorer: () => expect.unreachable()};
afterAll(() => {
  sandbox.close();
  programs.close();
});

/** How tests of EvalPlus compare, on the hub. */
const assertion = `import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)):
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert exact_match
`;
const halves = {
  task_id: 'HumanEval/900',
  prompt: 'def halves(numbers):\n    """Half of each number."""\n',
  canonical_solution: '    return [x / 2 for x in numbers]\n',
  entry_point: 'halves',
  test: `${assertion}
def check(candidate):
    inputs = [[[1.0, 2.0]], [[]]] + [[[float(k)]] for k in range(1000)]
    results = [[0.5, 1.0], []] + [[k / 2] for k in range(1000)]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
`,
};
const shared = {
  task_id: 2,
  prompt: 'Write a function to find the shared elements.',
  code: 'def shared(a, b):\n  return tuple(sorted(set(a) & set(b)))\n',
  test_imports: [],
  test_list: ['assert shared((1, 2), (2,)) == (2,)'],
  test: `${assertion}
inputs = [[(1, 2), (2,)], [(), ()], [(3, 4, 5), (5, 4)]]
results = [(2,), (), (4, 5)]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(shared(*inp), exp, 0)
`,
};
const rowOf = (values: Record<string, unknown>) => ({values, file: 'a.jsonl', line: 1});

it.each([
  ['its own solution', humaneval, halves, halves.canonical_solution, true],
  ['numbers that are close', humaneval, halves, '    return [x * 0.5 + 1e-9 for x in numbers]\n', true],
  ['numbers that are not', humaneval, halves, '    return [x * 0.5 + 1e-5 for x in numbers]\n', false],
  ['what only further tests find', humaneval, halves, '    return [x / 2 if x < 900 else 0 for x in numbers]\n', false],
  ['a list of another length', humaneval, halves, '    return [x / 2 for x in numbers] * 2\n', false],
  ['texts', humaneval, halves, "    return ['0.5' for x in numbers]\n", false],
  ['its own solution', mbpp, shared, shared.code, true],
  ['what the list alone would pass', mbpp, shared, 'def shared(a, b):\n  return (2,)\n', false],
] as const)('further tests judge %s', async (_, task, values, output, right) => {
  expect(await task.judge(rowOf(values), output, tools)).toMatchObject({verdict: right});
});

it('rows whose further tests are inputs alone are refused', () => {
  expect(() => humaneval.expected(rowOf({...halves, plus_input: [[1]]}))).toThrow(
    /a\.jsonl:1: .*plus_input.*humanevalplus/,
  );
  expect(() => mbpp.expected(rowOf({...shared, plus_input: [[1]]}))).toThrow(/mbppplus/);
});
