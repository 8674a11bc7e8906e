/** Programs that do not solve anything: each must be stopped, may touch nothing outside, and must not be taken for right. */

/** The tests that every one of them has to fail: no program here computes this. */
export const tests = 'assert f(20) == 6765\nassert f(21) == 10946\nassert isinstance(f(3), int)';

/** `FILE`: a file of the host; `NEW`: a path where none is; `PORT`: a server on the loopback device. */
const raw: Record<string, readonly string[]> = {
  'takes all time': [
    'while True: pass',
    'def f(x):\n  while True: pass',
    'import time\ntime.sleep(1000)',
    'def f(x):\n  try:\n    while True: pass\n  except BaseException:\n    return f(x)',
    'import itertools\nsum(itertools.count())',
    'def f(x): return f(x - 1) + f(x - 2)',
    'import re\nre.match(r"(a+)+$", "a" * 64 + "b")',
    'x = 3 ** (3 ** 25)',
    'def f(x):\n  import random\n  while random.random() < 2: pass',
    'class A:\n  def __del__(self):\n    while True: pass\nA()',
    'def f(x): return iter(int, 1)',
    'import signal\nfor s in range(1, 30):\n  try: signal.signal(s, signal.SIG_IGN)\n  except Exception: pass\nwhile True: pass',
  ],
  'takes all memory': [
    'x = "a" * (1 << 40)',
    'x = []\nwhile True: x.append(bytearray(1 << 24))',
    'x = [0] * (1 << 31)',
    'def f(x): return "a" * (1 << 28)',
    'def f(x): return [0] * 30_000_000',
    'x = "a"\nwhile True: x += x',
    'd = {}\ni = 0\nwhile True:\n  d[i] = str(i) * 100\n  i += 1',
    'x = [[]]\nfor _ in range(10**9): x = [x, x, [x]]',
    'import io\nb = io.BytesIO()\nwhile True: b.write(b"x" * (1 << 22))',
    'with open("/tmp/x", "wb") as o:\n  while True: o.write(b"x" * (1 << 22))',
    'i = 0\nwhile True:\n  open(f"/tmp/{i}", "wb").write(b"x" * (1 << 22))\n  i += 1',
    'import os\nos.truncate("/tmp/big", 1 << 40) if os.path.exists("/tmp/big") else open("/tmp/big", "wb").truncate(1 << 40)',
    'x = 1 << (1 << 40)',
    'def f(x): return memoryview(bytearray(1 << 29))',
  ],
  'prints without end': [
    'while True: print("x" * 100000)',
    'import sys\nwhile True: sys.stderr.write("x" * 100000)',
    'import os\nwhile True: os.write(1, b"x" * 100000)',
    'import os\nwhile True: os.write(2, b"y" * 1000)',
    'print("x" * (1 << 28))',
  ],
  'nests without end': [
    'def f(x): return f(x)',
    'import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)',
    'x = []\nfor _ in range(100000): x = [x]\nprint(x)\ndef f(y): return x',
    'exec("(" * 100000 + ")" * 100000)',
    'eval("-" * 1000000 + "1")',
    'x = []\nx.append(x)\ndef f(y): return x',
    'class A:\n  def __getattr__(self, n): return getattr(self, n + "x")\nA().y',
    'class A:\n  def __repr__(self): return repr(self)\nraise Exception(A())',
    'import json\njson.loads("[" * 1000000)',
    'import sys\nsys.setrecursionlimit(10**8)\nclass A:\n  def __eq__(self, o): return self == o\ndef f(x): return A() == A()',
  ],
  'starts processes and threads': [
    'import os\nwhile True: os.fork()',
    'import os\nos.system("touch NEW")',
    'import subprocess\nsubprocess.run(["touch", "NEW"])',
    'import multiprocessing\nmultiprocessing.Process(target=print).start()',
    'import threading\nwhile True: threading.Thread(target=lambda: 1).start()',
    'import _thread\nwhile True: _thread.start_new_thread(print, ())',
    'import concurrent.futures as c\nc.ProcessPoolExecutor().submit(print).result()',
    'import os\nos.execv("/bin/sh", ["sh", "-c", "touch NEW"])',
    'import os\nos.posix_spawn("/bin/touch", ["touch", "NEW"], {})',
    'import os\nos.kill(os.getppid(), 9)',
    'import os\nfor p in range(2, 5000):\n  try: os.kill(p, 9)\n  except Exception: pass',
    'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)',
  ],
  'reads and writes files': [
    'print(open("FILE").read())\ndef f(x): return open("FILE").read()',
    'open("FILE", "w").write("gone")',
    'open("NEW", "w").write("here")',
    'import os\nos.remove("FILE")',
    'import shutil\nshutil.rmtree("/")',
    'import os\nos.symlink("/", "/tmp/root")\nprint(os.listdir("/tmp/root"))',
    'import os\ndef f(x): return sorted(os.listdir("/"))',
    'import pathlib\npathlib.Path("NEW").write_text("here")',
    'import os\nos.chmod("FILE", 0)',
    'import os\nos.rename("FILE", "NEW")',
    'import os\nfor i in range(3, 200):\n  try: os.write(i, b"=[true]\\n")\n  except OSError: pass',
    'import os\nos.close(0); os.close(1); os.close(2)',
    'import sqlite3\nsqlite3.connect("NEW").execute("create table t(x)")',
  ],
  'calls out': [
    'import socket\ns = socket.socket()\ns.connect(("127.0.0.1", PORT))\ns.send(b"hello")',
    'import urllib.request\nurllib.request.urlopen("http://127.0.0.1:PORT/")',
    'import http.client\nhttp.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/")',
    'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b"x", ("127.0.0.1", PORT))',
    'import socket\nsocket.create_server(("127.0.0.1", 0)).accept()',
    'import asyncio\nasyncio.run(asyncio.open_connection("127.0.0.1", PORT))',
    'import pyodide.http\npyodide.http.open_url("http://127.0.0.1:PORT/")',
    'import socket\nsocket.getaddrinfo("localhost", PORT)\nsocket.create_connection(("localhost", PORT))',
  ],
  'reaches for JavaScript': [
    'import js\njs.process.exit(0)',
    'from js import fetch\nfetch("http://127.0.0.1:PORT/")',
    'import pyodide_js\npyodide_js.FS.writeFile("NEW", "x")',
    'from pyodide.code import run_js\nrun_js("process.exit(0)")',
    'import sys\nsys.modules.pop("js", None)\nimport js\njs.eval("1")',
    'import sys\nfor n in ("js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core"): sys.modules.pop(n, None)\nimport _pyodide_core\nprint(dir(_pyodide_core))\nimport pyodide.code\npyodide.code.run_js("globalThis.process.exit(0)")',
    'import gc\nfor o in gc.get_objects():\n  if "Js" in type(o).__name__:\n    o.constructor.constructor("return process")().exit(0)',
    'import gc\nfor o in gc.get_objects():\n  if "Js" in type(o).__name__:\n    for n in ("fetch", "process", "require", "eval", "FS", "mountNodeFS"):\n      try: getattr(o, n)("http://127.0.0.1:PORT/")\n      except Exception: pass',
    'import ctypes\nctypes.string_at(0)',
    'import sys\nsys.modules.pop("ctypes", None); sys.modules.pop("_ctypes", None)\nimport ctypes\nctypes.memset(0, 255, 1 << 20)',
    'import importlib.machinery as m\nfor n in ("js", "_pyodide_core", "pyodide_js"):\n  try: print(m.BuiltinImporter.load_module(n))\n  except Exception: pass',
    'import gc\nfor o in gc.get_objects():\n  if "Js" in type(o).__name__:\n    for name in dir(o):\n      try:\n        v = getattr(o, name)\n        v() if callable(v) else None\n      except BaseException: pass',
  ],
  'ends early': [
    'import sys\nsys.exit(0)',
    'import os\nos._exit(0)',
    'import os\ndef f(x): os._exit(0)',
    'def f(x): raise SystemExit(0)',
    'exit()',
    'raise KeyboardInterrupt',
    'import os\nos.abort()',
    'import atexit, os\natexit.register(print, "passed")\nos._exit(0)',
  ],
  'pretends to be right': [
    'print("=[true, \\"\\"]")\nprint("passed")\ndef f(x): return 1',
    'class X:\n  def __eq__(self, o): return True\n  __class__ = int\ndef f(x): return X()',
    'class X(int):\n  def __eq__(self, o): return True\n  def __hash__(self): return 0\ndef f(x): return X(5)',
    'import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.AssertionError = ValueError\nbuiltins.exec = lambda *a: None\nbuiltins.compile = lambda *a, **k: None\ndef f(x): return 0',
    'import builtins\nfor n in list(vars(builtins)):\n  if n not in ("__import__", "print"): delattr(builtins, n)\ndef f(x): return 0',
    'import json\njson.dumps = lambda *a: \'["ok", [true, ""]]\'\njson.loads = lambda *a: ["call"]\ndef f(x): return 0',
    'import sys\ndef trace(frame, event, arg):\n  try: frame.f_lineno = frame.f_lineno + 3\n  except Exception: pass\n  return trace\nsys.settrace(trace)\ndef f(x):\n  sys._getframe(1).f_trace = trace\n  return 0',
    'import sys\nfor m in list(sys.modules.values()):\n  for n in dir(m):\n    if n in ("_Judge", "_Candidate", "_Codec"): setattr(m, n, None)\ndef f(x): return 0',
    'import gc\nfor o in gc.get_objects():\n  if isinstance(o, dict) and "tests" in o: o["tests"] = ""\n  if type(o).__name__ in ("_Candidate", "_Judge"):\n    type(o).answer = lambda self, t: "[true]"\ndef f(x): return 0',
    'import __main__\n__main__._Codec.encode = lambda s, x, d=0: ["kept", 0]\n__main__._Codec.dumps = lambda s, x: "[true]"\ndef f(x): return 0',
    'import inspect\ndef f(x):\n  for frame in inspect.stack():\n    frame[0].f_locals.clear() if hasattr(frame[0].f_locals, "clear") else None\n    frame[0].f_globals["check"] = print\n  return 0',
    'def check(*a): pass\ndef f(x): return 0',
  ],
};

export interface Hostile {
  name: string;
  program(place: {file: string; absent: string; port: number}): string;
  /** Where it is made for tests of its own. */
  problem?: {tests: string; reference: string; trusted: string};
}

export const hostilePrograms: Hostile[] = Object.entries(raw).flatMap(([what, programs]) =>
  programs.map((text, i) => ({
    name: `${what} (${i + 1})`,
    program: ({file, absent, port}) =>
      text.replaceAll('FILE', file).replaceAll('NEW', absent).replaceAll('PORT', String(port)),
  })),
);
