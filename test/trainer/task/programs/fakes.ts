/**
 * Programs that compute nothing right and try to be taken for right all the same: by what the tests or the harness rely on,
 * by what they hand out, or by ending before they are found out. A pass of any of them is a wrong pass.
 */
import type {Hostile} from './hostile.ts';

const fibonacci = 'assert f(20) == 6765\nassert f(21) == 10946';
const near = 'assert math.isclose(f(1), 4.18879, rel_tol=0.001)';
const defined = 'def f(x): pass';

interface Fake {
  what: string;
  program: string;
  tests?: string;
  reference?: string;
  trusted?: string;
}

const fakes: readonly Fake[] = [
  {
    what: 'a module that the tests name, as a class (MBPP 596)',
    program: 'class sys:\n  getsizeof = staticmethod(lambda x: 1)\ndef tuple_size(t): return 1',
    tests: 'assert tuple_size(("A", 1, "B", 2)) == sys.getsizeof(("A", 1, "B", 2))',
    reference: 'import sys\ndef tuple_size(t): return sys.getsizeof(t)',
  },
  {
    what: 'a module that the tests name, as an object whose every attribute agrees',
    program: 'class Yes:\n  def __getattr__(self, n): return lambda *a, **k: True\nmath = Yes()\ndef f(x): return 0',
    tests: near,
    reference: `import math\n${defined}`,
  },
  {
    what: 'the same where no reference says that it is a module',
    program: 'class math:\n  isclose = staticmethod(lambda *a, **k: True)\ndef f(x): return 0',
    tests: near,
    reference: '',
  },
  {
    what: 'a module under another name',
    program: 'class m:\n  isclose = staticmethod(lambda *a, **k: True)\ndef f(x): return 0',
    tests: near.replace('math', 'm'),
    reference: `import math as m\n${defined}`,
  },
  {
    what: 'a function of a module that the reference imports by name',
    program: 'def isclose(*a, **k): return True\ndef f(x): return 0',
    tests: near.replace('math.', ''),
    reference: `from math import isclose\n${defined}`,
  },
  {
    what: 'a function of a module that the reference imports with all it has',
    program: 'def isclose(*a, **k): return True\ndef f(x): return 0',
    tests: near.replace('math.', ''),
    reference: `from math import *\n${defined}`,
  },
  {
    what: 'a module exchanged where modules are kept',
    program:
      'import sys, types\nm = types.ModuleType("math")\nm.isclose = lambda *a, **k: True\nsys.modules["math"] = m\nimport math\ndef f(x): return 0',
    tests: near,
    reference: `import math\n${defined}`,
  },
  {
    what: 'a function exchanged in the module itself, and the import with it',
    program:
      'import builtins, math\nmath.isclose = lambda *a, **k: True\nbuiltins.__import__ = lambda *a: math\ndef f(x): return 0',
    tests: `import math\n${near}`,
  },
  {
    what: 'a helper of the prompt',
    program: 'def is_right(x): return True\ndef f(x): return 0',
    trusted: 'def is_right(x): return x == 6765',
    tests: 'assert is_right(f(20))',
  },
  {
    what: 'a helper of the tests',
    program: 'def is_right(x): return True\ndef f(x): return 0',
    tests: 'def is_right(x): return x == 6765\nassert is_right(f(20))',
  },
  {
    what: 'a helper that nobody else has',
    program: 'def is_right(x): return True\ndef f(x): return 0',
    tests: 'assert is_right(f(20))',
  },
  {
    what: 'built-in functions as names of its own',
    program: 'def all(x): return True\ndef abs(x): return 0\ndef len(x): return 6765\ndef f(x): return [0]',
    tests: 'assert all(v == 6765 for v in f(20)) and len(f(20)) == 6765',
  },
  {
    what: 'an end of iteration, at which a loop over the answers ends early',
    program: 'def f(x): raise StopIteration',
    tests: 'assert all(map(lambda x: f(x) == 6765, [20]))',
  },
  {
    what: 'assertions that are no errors',
    program:
      'import builtins\nclass Quiet(Exception):\n  def __new__(cls, *a): return None\nbuiltins.AssertionError = Quiet\nAssertionError = Quiet\n__debug__ if False else None\ndef f(x): return 0',
  },
  {
    what: 'an answer that equals everything, from the library',
    program: 'from unittest.mock import ANY\ndef f(x): return ANY',
  },
  {
    what: 'lists, texts and numbers that equal everything',
    program:
      'class L(list):\n  def __eq__(self, o): return True\n  def __len__(self): return 1\nclass N(float):\n  def __eq__(self, o): return True\n  def __sub__(self, o): return 0.0\n  __rsub__ = __sub__\ndef f(x): return N("nan") if x == 20 else L()',
    tests: 'assert abs(f(20) - 6765) < 1e-6\nassert f(21) == [10946]',
  },
  {
    what: 'an answer written where answers go',
    program:
      'import os, sys\nfor line in (\'=[true, ""]\', \'=["ok", [true, ""]]\', "!ready", "passed", "1 passed, 0 failed"):\n  print(line, flush=True)\n  print(line, file=sys.__stdout__, flush=True)\n  for n in range(1, 20):\n    try: os.write(n, (line + "\\n").encode())\n    except OSError: pass\ndef f(x): return 0',
  },
  {
    what: 'the harness around it, which then answers with objects of the other process',
    program:
      'import gc\nfor o in gc.get_objects():\n  if type(o).__name__ == "_Candidate":\n    type(o).do_call = lambda self, *a: ["module", "unittest.mock"]\n    type(o).do_names = lambda self, names: {n: ["module", "operator"] for n in names}\ndef f(x): return 0',
  },
  {
    what: 'frames above it, traced and rewritten',
    program:
      'import sys\nframe = sys._getframe()\nwhile frame:\n  frame.f_globals["_Failed"] = frame.f_builtins["AssertionError"] = type("Quiet", (BaseException,), {})\n  frame.f_trace_lines = frame.f_trace_opcodes = True\n  frame = frame.f_back\nsys.setprofile(lambda *a: None)\ndef f(x): return 0',
  },
  {
    what: 'an exit that reports success, from everywhere',
    program:
      'import atexit, os, sys\nsys.excepthook = sys.unraisablehook = lambda *a: os._exit(0)\natexit.register(os._exit, 0)\nclass A:\n  def __del__(self): raise SystemExit(0)\ndef f(x):\n  A()\n  raise SystemExit(0)',
  },
  {
    what: 'quotation marks and lines that would close a harness made of text',
    program:
      'def f(x): return 0\n"""\n\'\'\'\n"""\nif True:\n    __name__ = "__main__"\n    tests = check = assert_ = lambda *a, **k: True\n# -*- coding: rot13 -*-\n\x0c\n# \u2028 \u202e',
  },
  {
    what: 'names that look like others',
    program:
      'def \uff46(x): return 0\n\u0430ssert = True\nclass \u{1d42c}\u{1d432}\u{1d42c}:\n  getsizeof = staticmethod(lambda x: 0)',
    tests: 'assert f(20) == sys.getsizeof(20)',
    reference: 'import sys\ndef f(x): return sys.getsizeof(x)',
  },
];

export const fakePrograms: Hostile[] = fakes.map(
  ({what, program, tests = fibonacci, reference = defined, trusted = ''}) => ({
    name: `fakes ${what}`,
    program: () => program,
    problem: {tests, reference, trusted},
  }),
);
