/**
 * Honest programs with tests that are as tricky as tests get, and what CPython's own `exec` of the program and then the tests
 * says of them. `npm run test:tasks` compares with the machine's python3, where there is one.
 */

export interface HonestProblem {
  what: string;
  program: string;
  trusted: string;
  tests: string;
  reference: string;
  passes: boolean;
}

const sized = 'import sys\ndef tuple_size(t): return sys.getsizeof(t)';
const measured = 'assert tuple_size(("A", 1)) == sys.getsizeof(("A", 1))';
const plain = 'def f(x): pass';

/** [what, program, tests, whether it passes, reference, trusted]. */
const problems: readonly (readonly [string, string, string, boolean, string?, string?])[] = [
  ['a module that the tests name and the program imports', sized, measured, true, sized],
  [
    'the same module under the name that the reference gives it',
    'import math as m\ndef f(x): return x',
    'assert m.isclose(f(1), 1)',
    true,
    `import math as m\n${plain}`,
  ],
  ['a module that the program does not import', 'def tuple_size(t): return 0', measured, false, sized],
  [
    'a module that the program imports without using it as the reference does',
    'import sys\ndef tuple_size(t): return sys.getsizeof(t)',
    measured,
    true,
    sized,
  ],
  ['a wrong answer beside the right module', 'import sys\ndef tuple_size(t): return 1', measured, false, sized],
  [
    'names that the reference imports from a module',
    'from math import isclose, pi\ndef f(x): return pi * x',
    'assert isclose(f(1), pi)',
    true,
    `from math import isclose, pi\n${plain}`,
  ],
  [
    'all names of a module',
    'from math import *\ndef f(x): return sqrt(x)',
    'assert isclose(f(4), 2.0)',
    true,
    `from math import *\n${plain}`,
  ],
  [
    'a part of a package',
    'import os.path\ndef f(x): return x',
    'assert os.path.join("a", f("b")).endswith("b")',
    true,
    `import os.path\n${plain}`,
  ],
  [
    'a module where there is no reference',
    'import math\ndef f(x): return x / 3',
    'assert math.isclose(f(1), 1 / 3)',
    true,
    '',
  ],
  ['a function with the name of a module', 'def calendar(x): return x + 1', 'assert calendar(1) == 2', true, ''],
  [
    'a class that the tests make objects of',
    'class Pair:\n  def __init__(self, a, b): self.a, self.b = a, b\ndef f(ps): return max(p.b - p.a for p in ps)',
    'assert f([Pair(1, 5), Pair(2, 3)]) == 4\nassert Pair(1, 2).b == 2',
    true,
    'class Pair: pass\ndef f(ps): pass',
  ],
  [
    'a constant that the reference defines',
    'SIZE = 3\ndef f(x): return x * SIZE',
    'assert f(2) == 2 * SIZE',
    true,
    `SIZE = 3\n${plain}`,
  ],
  [
    'a function with the name of a built-in one',
    'def sum(x, y): return x + y',
    'assert sum(1, 2) == 3',
    true,
    'def sum(x, y): return x + y',
  ],
  [
    'a helper of the tests with a variable of the same name as the function',
    'def f(x): return x',
    'def check(f):\n  assert f(1) == 1\ncheck(f)',
    true,
    plain,
  ],
  [
    'a variable of the tests that holds what the function of its name gave',
    'def f(x): return x',
    'f = f(3)\nassert f == 3',
    true,
    plain,
  ],
  [
    'an exception that the tests expect',
    'def f(x): raise ValueError("no")',
    'try:\n  f(1)\n  assert False\nexcept ValueError as e:\n  assert str(e) == "no"',
    true,
    plain,
  ],
  [
    'an exception of its own, of a kind that the tests expect',
    'class Bad(ValueError): pass\ndef f(x): raise Bad("no")',
    'try:\n  f(1)\n  assert False\nexcept ValueError:\n  pass',
    true,
    plain,
  ],
  [
    'another exception than the tests expect',
    'def f(x): raise KeyError("no")',
    'try:\n  f(1)\nexcept ValueError:\n  pass',
    false,
    plain,
  ],
  ['a generator', 'def f(x):\n  for i in range(x): yield i * i', 'assert list(f(4)) == [0, 1, 4, 9]', true, plain],
  [
    'a counter',
    'from collections import Counter\ndef f(x): return Counter(x)',
    'assert f("aab") == {"a": 2, "b": 1}\nassert f("aab").most_common(1) == [("a", 2)]',
    true,
    plain,
  ],
  [
    'a dictionary with default values',
    'from collections import defaultdict\ndef f(x):\n  d = defaultdict(list)\n  d[x].append(1)\n  return d',
    'assert f(2) == {2: [1]}',
    true,
    plain,
  ],
  [
    'a named tuple',
    'from collections import namedtuple\nP = namedtuple("P", "x y")\ndef f(x): return P(x, 2)',
    'assert f(1) == (1, 2)',
    true,
    plain,
  ],
  [
    'large numbers',
    'def f(x): return 2 ** x',
    'assert f(200) == 1606938044258990275541962092341162602522202993782792835301376',
    true,
    plain,
  ],
  [
    'the largest number of the machine as a bound',
    'import sys\ndef f(xs):\n  least = sys.maxsize\n  for x in xs: least = min(least, x)\n  return least',
    'assert f([5_000_000_000, 6_000_000_000]) == 5_000_000_000',
    true,
    'def f(xs): pass',
  ],
  [
    'no number and infinities',
    'def f(x): return float(x)',
    'assert f("inf") > 1e308\nassert f("nan") != f("nan")',
    true,
    plain,
  ],
  ['depth that CPython allows', 'def f(x): return 0 if x == 0 else 1 + f(x - 1)', 'assert f(900) == 900', true, plain],
  [
    'depth that CPython refuses',
    'def f(x): return 0 if x == 0 else 1 + f(x - 1)',
    'assert f(10000) == 10000',
    false,
    plain,
  ],
  [
    'a truth value where a number is expected',
    'def f(x): return x == 1',
    'assert f(1) == 1 and f(2) == 0',
    true,
    plain,
  ],
  ['text of many scripts', 'def f(x): return x[::-1]', 'assert f("añ→\\U0001f600") == "\\U0001f600→ña"', true, plain],
  [
    'a type that the tests hand over',
    'def f(xs, kind): return [x for x in xs if isinstance(x, kind)]',
    'assert f([1, "a", 2], int) == [1, 2]',
    true,
    'def f(xs, kind): pass',
  ],
  ['a type for an answer', 'def f(x): return type(x)', 'assert f(1) is int and f("a") is str', true, plain],
  ['a wrong answer', 'def f(x): return x + 1', 'assert f(1) == 1', false, plain],
  ['no answer', 'def f(x): pass', 'assert f(1) == 1', false, plain],
  ['no function of that name', 'def g(x): return 1', 'assert f(1) == 1', false, plain],
  [
    'a sum that is close',
    'def f(x): return 0.1 + 0.2',
    'assert abs(f(1) - 0.3) < 1e-9\nassert f(1) != 0.3',
    true,
    plain,
  ],
  ['an answer printed instead of returned', 'def f(x): print(1)', 'assert f(1) == 1', false, plain],
  [
    'state between calls',
    'seen = []\ndef f(x):\n  seen.append(x)\n  return len(seen)',
    'assert f(1) == 1 and f(1) == 2',
    true,
    plain,
  ],
  [
    'a helper of the prompt, used by the program',
    'def double(x): return 2 * x\ndef f(x): return double(x)',
    'assert f(2) == double(2)',
    true,
    plain,
    'def double(x): return 2 * x',
  ],
];

export const honestProblems: readonly HonestProblem[] = problems.map(
  ([what, program, tests, passes, reference = plain, trusted = '']) => ({
    what,
    program,
    tests,
    passes,
    reference,
    trusted,
  }),
);
