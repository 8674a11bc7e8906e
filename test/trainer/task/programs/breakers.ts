/**
 * Programs that want more than a program may have: time, memory, files, the network, other processes, the interpreter itself.
 * None passes, none reaches the machine, and the next program finds all as it was. The names in capitals are explained in
 * hostile.ts.
 */
import type {Hostile} from './hostile.ts';

const breakers: readonly (readonly [what: string, program: string])[] = [
  ['waits for a lock', 'import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()'],
  ['sleeps while it is cleaned up', 'import time\nclass A:\n  def __del__(self): time.sleep(10**6)\nA()'],
  [
    'never stops comparing',
    'class A:\n  def __lt__(self, o):\n    while True: pass\ndef f(x): return sorted([A(), A()])',
  ],
  ['counts to the end of a range', 'def f(x): return sum(range(10**15))'],
  ['matches for ever', 'import re\ndef f(x): return re.match(r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 200)'],
  ['turns a long text into a number', 'import sys\nsys.set_int_max_str_digits(0)\nx = int("9" * 10**8)'],
  ['catches its own end', 'import signal\nwhile True:\n  try:\n    while True: pass\n  except BaseException: continue'],
  ['reads standard input', 'import sys\nx = sys.stdin.read()\ny = input()\ndef f(x): return int(y)'],
  ['opens a console', 'import code\ncode.interact()\nbreakpoint()\ndef f(x): return help()'],
  ['fills the memory with one text', 'def f(x): return "%2000000000d" % 1'],
  ['fills the memory with digits', 'import decimal\ndecimal.getcontext().prec = 10**9\nx = decimal.Decimal(1) / 7'],
  [
    'unpacks a bomb',
    'import zlib\nx = zlib.compress(b"0" * 10**6)\nfor _ in range(40): x = zlib.decompress(x) * 1000 and zlib.compress(zlib.decompress(x) * 1000)',
  ],
  ['packs a gigabyte', 'import struct\nx = [struct.pack("500000000x") for _ in range(100)]'],
  ['makes sets of sets', 'x = frozenset()\nfor i in range(10**7): x = frozenset([x, frozenset(range(i))])'],
  ['returns more than can be sent', 'def f(x): return {i: "x" * 1000 for i in range(10**6)}'],
  ['returns without end', 'import itertools\ndef f(x): return map(str, itertools.count())'],
  [
    'returns a value that grows as it is read',
    'class L(list):\n  def __iter__(self):\n    while True: yield L([0])\ndef f(x): return L([0])',
  ],
  ['maps a terabyte', 'import mmap\nx = mmap.mmap(-1, 1 << 40)'],
  [
    'calls itself through the library',
    'import functools\ndef f(x): return functools.reduce(lambda a, b: f(b), range(10), 0)',
  ],
  ['nests a pattern', 'import re\nx = re.compile("(" * 50000 + ")" * 50000)'],
  ['nests an expression', 'x = eval("+".join(["1"] * 10**6))\ny = eval("[" * 5000 + "]" * 5000)'],
  [
    'copies what holds itself',
    'import copy, sys\nsys.setrecursionlimit(10**6)\nx = []\nfor _ in range(10**5): x = [x]\ny = copy.deepcopy(x)',
  ],
  [
    'is made of bytes that are no code',
    'def f(x): return 0\nf.__code__ = f.__code__.replace(co_code=bytes(range(256)) * 8)',
  ],
  ['loads code from garbage', 'import marshal, types\nexec(marshal.loads(b"\\xe3" + b"\\xff" * 200))'],
  ['crashes on purpose', 'import faulthandler\nfaulthandler._sigsegv()'],
  ['unpickles a command', 'import pickle\npickle.loads(b"cposix\\nsystem\\n(S\'touch NEW\'\\ntR.")'],
  [
    'lists and reads the whole disk',
    'import os\nx = {}\nfor d, _, files in os.walk("/"):\n  for n in files:\n    try: x[n] = open(os.path.join(d, n), "rb").read(100)\n    except OSError: pass\ndef f(y): return open("FILE").read()',
  ],
  ['reads devices', 'x = open("/dev/zero", "rb").read(10**10)'],
  [
    'reads its environment',
    'import os\nx = open("/proc/self/environ").read()\ndef f(y): return dict(os.environ) or open("/proc/1/environ").read()',
  ],
  [
    'climbs out of its folder',
    'import os\nos.chdir("/")\nfor n in ("../../../..FILE", "//FILE", "/./FILE", "file://FILE", "/proc/self/rootFILE", "/proc/self/cwdFILE"):\n  try: open(n, "w").write("gone")\n  except OSError: pass',
  ],
  ['links to a file of the host', 'import os\nos.symlink("FILE", "/tmp/link")\nopen("/tmp/link", "a").write("more")'],
  [
    'leaves temporary files',
    'import tempfile\nx = [tempfile.NamedTemporaryFile(delete=False).write(b"x" * 10**6) for _ in range(10**5)]',
  ],
  ['opens a database elsewhere', 'import dbm\ndbm.open("NEW", "c")["a"] = "b"'],
  [
    'writes compiled code',
    'import py_compile\nopen("/tmp/a.py", "w").write("1")\npy_compile.compile("/tmp/a.py", cfile="NEW")',
  ],
  ['sends mail', 'import smtplib\nsmtplib.SMTP("127.0.0.1", PORT, timeout=1).sendmail("a", "b", "c")'],
  ['calls over another protocol', 'import ftplib\nftplib.FTP().connect("127.0.0.1", PORT, timeout=1)'],
  ['opens a browser', 'import webbrowser\nwebbrowser.open("http://127.0.0.1:PORT/")'],
  [
    'serves pages',
    'import http.server\nhttp.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler).serve_forever()',
  ],
  [
    'waits for many sockets',
    'import selectors, socket\ns = selectors.DefaultSelector()\na, b = socket.socketpair()\ns.register(a, 1)\ns.select()',
  ],
  [
    'loops for events',
    'import asyncio\nloop = asyncio.new_event_loop()\nloop.call_soon(lambda: loop.run_forever())\nloop.run_forever()',
  ],
  ['asks for its own packages', 'import micropip\nmicropip.install("http://127.0.0.1:PORT/a.whl")\nimport pip'],
  [
    'goes through the loader of modules',
    'import importlib.util, sys\nfor n in ("js", "_pyodide_core", "pyodide_js", "_ctypes"):\n  for finder in sys.meta_path:\n    try:\n      spec = finder.find_spec(n, None)\n      m = importlib.util.module_from_spec(spec)\n      spec.loader.exec_module(m)\n      m.process.exit(0)\n    except Exception: pass\ndef f(x): return 0',
  ],
];

export const breakingPrograms: Hostile[] = breakers.map(([what, text]) => ({
  name: `breaks: ${what}`,
  program: ({file, absent, port}) =>
    text.replaceAll('FILE', file).replaceAll('NEW', absent).replaceAll('PORT', String(port)),
}));
