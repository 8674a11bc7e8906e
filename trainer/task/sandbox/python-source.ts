/**
 * The Python that both kinds of process run. A candidate holds the untrusted program and answers questions about it; a judge
 * runs the tests, in which the program's functions are stand-ins that ask the candidate. What crosses is plain data, rebuilt
 * by the judge from built-in types: a program cannot reach the tests, nor hand out objects that compare equal to everything.
 */
export const pythonSource = `
import _collections_abc, ast, bisect, builtins, cmath, collections, copy, datetime, decimal, fractions, functools, heapq, itertools
import json, math, operator, random, re, statistics, string, sys, textwrap, time, types, typing, unittest.mock


class _Codec:
    """Values as JSON text. Lists are tagged, so that every other built-in type has a tag of its own beside them."""

    def __init__(self, known, unknown):
        self.known, self.unknown = known, unknown

    def dumps(self, value):
        return json.dumps(self.encode(value))

    def loads(self, text):
        return self.decode(json.loads(text))

    def encode(self, x, depth=0):
        if depth > 300:
            raise ValueError("the value is nested too deeply")
        kind = type(x)
        if x is None or kind is bool or kind is str or kind is float:
            return x
        if kind is int:
            return x if -(2**53) < x < 2**53 else ["int", hex(x)]
        if (own := self.known(x)) is not None:
            return own
        many = lambda values: [self.encode(v, depth + 1) for v in values]
        for tag, of in (("list", list), ("tuple", tuple), ("set", set), ("frozenset", frozenset), ("deque", collections.deque)):
            if isinstance(x, of):
                return [tag, many(x)]
        if isinstance(x, dict):
            pairs = [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in x.items()]
            kinds = (("ordered", collections.OrderedDict), ("counter", collections.Counter))
            return [next((tag for tag, of in kinds if isinstance(x, of)), "dict"), pairs]
        if isinstance(x, str):
            return str.__str__(x)
        if isinstance(x, int):
            return self.encode(int(x), depth + 1)
        if isinstance(x, float):
            return float(x)
        if isinstance(x, complex):
            return ["complex", x.real, x.imag]
        if isinstance(x, (bytes, bytearray)):
            return ["bytes" if isinstance(x, bytes) else "bytearray", x.hex()]
        if isinstance(x, range):
            return ["range", many((x.start, x.stop, x.step))]
        if isinstance(x, decimal.Decimal):
            return ["decimal", str(x)]
        if isinstance(x, fractions.Fraction):
            return ["fraction", str(x)]
        if isinstance(x, (datetime.datetime, datetime.date)):
            return ["datetime" if isinstance(x, datetime.datetime) else "date", x.isoformat()]
        if isinstance(x, types.ModuleType):
            return ["module", x.__name__]
        if kind is type and vars(builtins).get(x.__name__) is x:
            return ["type", x.__name__]
        if isinstance(x, (_collections_abc.Iterator, _collections_abc.KeysView, _collections_abc.ValuesView, _collections_abc.ItemsView)):
            return ["iterator", many(itertools.islice(x, 1_000_000))]
        return self.unknown(x)

    def decode(self, x):
        if not isinstance(x, list):
            return x
        tag, *rest = x
        body = rest[0] if rest else None
        if tag in ("list", "tuple", "set", "frozenset", "deque", "iterator"):
            return _builders[tag]([self.decode(v) for v in body])
        if tag in ("dict", "ordered", "counter"):
            return _builders[tag]([(self.decode(k), self.decode(v)) for k, v in body])
        if tag == "range":
            return range(*body)
        if tag == "complex":
            return complex(*rest)
        if tag == "type" and type(vars(builtins).get(body)) is type:
            return vars(builtins)[body]
        if tag in _builders:
            return _builders[tag](body)
        return self.other(tag, rest)

    def other(self, tag, rest):
        raise ValueError("unknown kind of value: " + str(tag))


_builders = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": collections.deque, "iterator": iter,
    "dict": dict, "ordered": collections.OrderedDict, "counter": lambda pairs: collections.Counter(dict(pairs)),
    "int": lambda text: int(text, 16), "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex, "decimal": decimal.Decimal, "fraction": fractions.Fraction,
    "datetime": datetime.datetime.fromisoformat, "date": datetime.date.fromisoformat,
}


def _told(error):
    """Its name, what it says, and the built-in error that it is or is a kind of."""
    try:
        kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")
        return [type(error).__name__, str(error)[:300], kind]
    except BaseException:
        return ["Exception", "an error that cannot be shown", "Exception"]


# As on any machine that programs are written for: WebAssembly's own is 2**31 - 1.
sys.maxsize = 2**63 - 1


class _Candidate:
    def __init__(self):
        self.space = {"__name__": "program"}
        self.kept = []
        self.codec = _Codec(lambda x: None, self.keep)
        self.codec.other = lambda tag, rest: self.kept[rest[0]]

    def keep(self, x):
        self.kept.append(x)
        return ["kept", len(self.kept) - 1]

    def answer(self, text):
        """[operation, ...] -> ["ok", value] or ["error", type, text, built-in type]."""
        try:
            operation, *rest = json.loads(text)
            return json.dumps(["ok", getattr(self, "do_" + operation)(*rest)])
        except BaseException as error:
            return json.dumps(["error", *_told(error)])

    def do_program(self, source):
        exec(compile(source, "program", "exec"), self.space)

    def do_names(self, names):
        return {name: self.codec.encode(self.space[name]) for name in names if name in self.space}

    def do_call(self, function, arguments, named):
        called = self.codec.decode(function)
        return self.codec.encode(called(*self.codec.decode(arguments), **self.codec.decode(named)))

    def do_get(self, of, name):
        return self.codec.encode(getattr(self.codec.decode(of), name))

    def do_set(self, of, name, value):
        setattr(self.codec.decode(of), name, self.codec.decode(value))


class _Failed(BaseException):
    """The candidate could not answer; no test may go on after that."""


class _Judge:
    def __init__(self, ask):
        self.ask_process = ask

    def ask(self, *question):
        state, *rest = json.loads(self.ask_process(json.dumps(question)))
        if state == "ok":
            return rest[0]
        kind = vars(builtins).get(rest[2])
        # The end of an iteration would end a loop of the tests' own.
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, (StopIteration, StopAsyncIteration)):
            raise kind(rest[1])
        raise _Failed(rest[0] + ": " + rest[1])

    def remote(self):
        judge, seen = self, {}

        class Remote:
            __slots__ = ("_place",)

            def __call__(self, *arguments, **named):
                encoded = codec.encode(list(arguments)), codec.encode(named)
                return codec.decode(judge.ask("call", codec.encode(self), *encoded))

            def __getattr__(self, name):
                return codec.decode(judge.ask("get", codec.encode(self), name))

            def __setattr__(self, name, value):
                judge.ask("set", codec.encode(self), name, codec.encode(value))

        def unknown(x):
            raise TypeError("the tests hand a " + type(x).__name__ + " to the program, which cannot leave the process of the tests")

        def other(tag, rest):
            if tag == "module":
                return _import(rest[0])
            if tag != "kept" or not isinstance(rest[0], int):
                raise ValueError("unknown kind of value")
            if rest[0] not in seen:
                seen[rest[0]] = Remote()
                object.__setattr__(seen[rest[0]], "_place", rest[0])
            return seen[rest[0]]

        codec = _Codec(lambda x: ["kept", object.__getattribute__(x, "_place")] if type(x) is Remote else None, unknown)
        codec.other = other
        return codec

    def answer(self, text):
        """{trusted, tests, reference} -> [passed, what went wrong]."""
        try:
            self.judge(json.loads(text))
            return json.dumps([True, ""])
        except BaseException as error:
            kind, told, _ = _told(error)
            return json.dumps([False, (told if kind == "_Failed" else kind + ": " + told).removesuffix(": ")])

    def judge(self, problem):
        codec = self.remote()
        space = {"__name__": "tests"}
        exec(compile(problem["trusted"], "prompt", "exec"), space)
        tests, reference = ast.parse(problem["tests"]), ast.parse(problem["reference"])
        owned, imported = _definitions(reference)
        bound, loaded, based = _names(tests)
        strange = [name for name in loaded - bound - owned if name not in space and not hasattr(builtins, name)]
        ours = [name for name in strange if name in imported or (name in based and name in sys.stdlib_module_names)]
        wanted = sorted(loaded & owned) + ([] if reference.body else sorted(set(strange) - set(ours)))
        for name in wanted:
            space.pop(name, None)
        # A program that lacks an import fails here as it does in CPython; what the name means is not the program's to say.
        found = self.ask("names", wanted + ours)
        for name in ours:
            if name in found:
                space[name] = imported[name]() if name in imported else _import(name)
        space.update({name: codec.decode(found[name]) for name in wanted if name in found})
        exec(compile(tests, "tests", "exec"), space)


def _names(tree):
    """Of tests: the names that they bind, those that they read, and of these the ones that they take an attribute of."""
    bound, loaded, based, called = set(), set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            based.add(node.value.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return bound, loaded, based - called


def _definitions(tree):
    """Of a reference solution's module: the names that it defines, and those that it imports with what gives each."""
    owned, imported = set(), {}
    todo = list(tree.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            owned.add(node.name)
            owned.update(name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                # "import a.b" binds a, "import a.b as c" binds a.b.
                module = alias.name if alias.asname else alias.name.split(".")[0]
                load = lambda whole=alias.name, module=module: (_import(whole), _import(module))[1]
                imported[alias.asname or module] = load
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name != "*":
                    imported[alias.asname or alias.name] = lambda of=node.module, name=alias.name: _member(of, name)
                    continue
                for name in _public(node.module):
                    imported[name] = lambda of=node.module, name=name: _member(of, name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            owned.add(node.id)
        elif not isinstance(node, ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))
    return owned, {name: load for name, load in imported.items() if name not in owned}


def _import(name):
    return __import__("importlib").import_module(name)


def _member(module, name):
    of = _import(module)
    return getattr(of, name) if hasattr(of, name) else _import(module + "." + name)


def _public(module):
    try:
        of = _import(module)
    except ImportError:
        return []
    return getattr(of, "__all__", None) or [name for name in vars(of) if not name.startswith("_")]
`;
