/**
 * The Python that finds a program in an answer, by CPython's own parser: nothing of the answer runs here. It follows what
 * EvalPlus's sanitizer does (Liu et al. 2023): of all runs of lines that parse, the longest one; of that the imports and what
 * the tested function needs. Beyond it, a run that defines what is tested comes before longer ones, fenced blocks inside
 * lists are read, and a body alone is taken behind the prompt that it continues.
 */
export const programsSource = `
import ast, builtins, json, re

_fence = re.compile(r"^([ \\t]*(?:>[ \\t]*)*(?:(?:[-*+]|\\d+[.)])[ \\t]+)?)(\`{3,}|~{3,})(.*)$")
_quoted = re.compile(r"^[ \\t]*>[ \\t]?")
_escape = re.compile(r"\\x1b(?:[@-Z\\\\-_]|\\[[0-?]*[ -/]*[@-~])")
_functions = (ast.FunctionDef, ast.AsyncFunctionDef)
_definitions = _functions + (ast.ClassDef,)
_imports = (ast.Import, ast.ImportFrom)
_scopes = _functions + (ast.Lambda,)


class _Search:
    """Parses, up to a number of times: an answer cannot keep it busy for ever."""

    def __init__(self):
        self.left = 4000

    def parse(self, text):
        self.left -= 1
        return ast.parse(text)

    def run(self, lines, start):
        """The longest text from this line that parses, without the indentation of its first line: (text, lines)."""
        indentation = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        taken = []
        for line in lines[start:]:
            if line.strip() and not line.startswith(indentation):
                break
            taken.append(line[len(indentation) :])
        end = len(taken)
        while end > 0 and self.left > 0:
            text = "\\n".join(taken[:end])
            try:
                self.parse(text)
                return text, end
            except SyntaxError as error:
                # What parses ends before the line of the error.
                end = min(end - 1, (error.lineno or end) - 1)
            except (ValueError, MemoryError, RecursionError):
                end -= 1
        return "", 0

    def runs(self, lines):
        """All of them that do not overlap, in order."""
        found, at = [], 0
        while at < len(lines) and self.left > 0:
            text, count = self.run(lines, at) if lines[at].strip() else ("", 0)
            if count:
                found.append(text)
            at += max(count, 1)
        return found


def _blocks(lines):
    """The lines inside of fences, without the indentation of the opening one; a block that is never closed goes to the end."""
    found, open_, held = [], None, []
    for line in lines:
        mark = _fence.match(line)
        if open_ is None:
            if mark and not (mark[2][0] == "\`" and "\`" in mark[3]):
                open_, held = mark, []
            continue
        # Inside of a quotation every line is quoted.
        before = open_[1]
        for _ in range(before.count(">")):
            before, line = _quoted.sub("", before, count=1), _quoted.sub("", line, count=1)
        depth = len(before)
        blank = len(line) - len(line.lstrip(" \\t"))
        line = line[min(depth, blank) :]
        if mark and mark[2].startswith(open_[2]) and not mark[3].strip():
            found.append(held)
            open_ = None
        elif line.rstrip().endswith(open_[2]) and not mark:
            found.append([*held, line.rstrip()[: -len(open_[2])]])
            open_ = None
        else:
            held.append(line)
    if open_ is not None:
        found.append(held)
    return found


def _roots(target):
    """Names that an assignment to this target gives or changes a value of."""
    if isinstance(target, ast.Name):
        return {target.id}
    if isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        return _roots(target.value)
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(*map(_roots, target.elts), set())
    return set()


def _is_main(node):
    return isinstance(node, ast.If) and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))


def _given(node):
    """Names that a statement defines, gives or changes a value of."""
    if isinstance(node, _definitions):
        return {node.name}
    if isinstance(node, _imports):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return set().union(*map(_roots, node.targets))
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return _roots(node.target)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        return _roots(node.value.func)
    if _is_main(node):
        return set()
    parts = [part for key in ("body", "orelse", "finalbody") for part in getattr(node, key, [])]
    parts += [part for handler in getattr(node, "handlers", []) for part in handler.body]
    parts += [part for case in getattr(node, "cases", []) for part in case.body]
    return set().union(*map(_given, parts), set())


def _used(node):
    """Names that a statement takes from outside of its own functions."""
    names = set()
    own = set()
    if isinstance(node, _scopes):
        a = node.args
        own |= {x.arg for x in [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg] if x}
        outer = set()
        todo = list(node.body) if isinstance(node.body, list) else [node.body]
        while todo:
            part = todo.pop()
            if isinstance(part, (ast.Global, ast.Nonlocal)):
                outer |= set(part.names)
            elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                own.add(part.id)
            elif isinstance(part, _definitions):
                own.add(part.name)
                continue
            elif isinstance(part, _imports):
                own |= _given(part)
            elif isinstance(part, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
                continue
            todo.extend(ast.iter_child_nodes(part))
        own -= outer
        names |= outer
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name):
            names.add(child.id)
        else:
            names |= _used(child)
    return names - own


def _real(node, name=None):
    """Whether a function does something beyond its docstring, and is no frame around itself."""
    def says_nothing(part):
        return (
            isinstance(part, ast.Pass)
            or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            or (isinstance(part, _functions) and part.name == name)
        )
    return not isinstance(node, _functions) or not all(map(says_nothing, node.body))


def _returns(node):
    return any(isinstance(part, (ast.Return, ast.Yield, ast.YieldFrom)) for part in ast.walk(node))


class _Module:
    """A text that parses, as what its statements give and need."""

    def __init__(self, text):
        self.text, self.lines = text, text.split("\\n")
        self.nodes = [
            node
            for node in ast.parse(text).body
            if not _is_main(node) and not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        ]
        self.first = {}
        functions = [node for node in self.nodes if isinstance(node, _definitions)]
        # Of several definitions the first one that returns something counts, else the first one that does something.
        for wanted in (lambda n: _real(n) and (_returns(n) or isinstance(n, ast.ClassDef)), _real, lambda n: True):
            for node in filter(wanted, functions):
                self.first.setdefault(node.name, node)
        self.size = sum(1 for line in self.lines if line.strip())

    def defines(self, name):
        """Not only as a frame without a body."""
        return any(
            name in _given(node) and (not isinstance(node, _functions) or _real(self.first[name]))
            for node in self.nodes
            if not isinstance(node, ast.Expr)
        )

    def needed(self, names):
        """The statements that these names need, and all names that are needed."""
        reached, todo, kept = set(), list(names), set()
        while todo:
            name = todo.pop()
            if name in reached:
                continue
            reached.add(name)
            for place, node in enumerate(self.nodes):
                if place in kept or name not in _given(node):
                    continue
                if isinstance(node, _definitions) and self.first[name] is not node:
                    continue
                if isinstance(node, ast.Expr) and not self.assigns(name) and name != "sys":
                    continue
                kept.add(place)
                todo.extend(_used(node) | _given(node) if not isinstance(node, _imports) else [])
        kept |= {place for place, node in enumerate(self.nodes) if isinstance(node, _imports) or self.limits(node)}
        return [self.nodes[place] for place in sorted(kept)], reached

    def assigns(self, name):
        return any(isinstance(node, (ast.Assign, ast.AnnAssign)) and name in _given(node) for node in self.nodes)

    def limits(self, node):
        call = node.value if isinstance(node, ast.Expr) else None
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "setrecursionlimit"

    def source(self, nodes):
        kept = set()
        for node in nodes:
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            kept |= set(range(first - 1, node.end_lineno))
        return "\\n".join(self.lines[line] for line in sorted(kept))


def _reduced(module, others, names):
    """What the names need, of this text and, where it lacks something, of the others."""
    nodes, reached = module.needed(names)
    parts = [module.source(nodes)]
    given = set().union(*map(_given, nodes), set())
    for other in others:
        missing = {name for name in reached - given if not hasattr(builtins, name) and other.defines(name)}
        if missing:
            more, also = other.needed(missing)
            parts.insert(0, other.source(more))
            reached |= also
            given |= set().union(*map(_given, more), set())
    return "\\n".join(part for part in parts if part)


def _wanted(tests, reference, setup):
    """The names that the tests take from the program."""
    walked = list(ast.walk(ast.parse(tests)))
    loaded = {n.id for n in walked if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in walked if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    owned = {n.name for n in ast.parse(reference).body if isinstance(n, _definitions)}
    there = set().union(*map(_given, ast.parse(setup).body), set())
    return {n for n in loaded - stored if n in owned or not (hasattr(builtins, n) or n in there)}


def _continued(search, prompt, name, texts):
    """The body that goes on behind the prompt: (program, body), or None."""
    best = None
    head = prompt.split("\\n")[:-1]
    count = len(head)
    for lines in texts:
        for start in range(min(len(lines), 60)):
            if not lines[start].strip() or search.left <= 0:
                continue
            rest = lines[start:]
            deep = rest[0][: len(rest[0]) - len(rest[0].lstrip())]
            # How far the lines go that are at least as deep; all of them where the body has lost its indentation.
            far = next((at for at, line in enumerate(rest) if line.strip() and not line.startswith(deep)), len(rest))
            moved = [line.strip() and "    " + line[len(deep) :] for line in rest[:far]]
            forms = [rest, ["    " + rest[0].lstrip(), *rest[1:]], [*moved, *rest[far:]]]
            for order, form in enumerate(forms):
                text, end = search.run([*head, *form], 0)
                if end <= count:
                    continue
                module = _Module(text)
                node = module.first.get(name)
                if node is None or not _real(node, name):
                    continue
                # A word alone is said, not meant.
                said = next((part for part in node.body if part.lineno > count), None)
                if isinstance(said, ast.Expr) and isinstance(said.value, (ast.Name, ast.Tuple, ast.Constant)):
                    continue
                score = (_returns(node), -start, node.end_lineno, -order)
                if best is None or score > best[0]:
                    best = score, module
    if best is None:
        return None
    _, module = best
    nodes, _ = module.needed([name])
    inside = [node for node in module.nodes if node.lineno <= count and node.end_lineno <= count and node not in nodes]
    kept = sorted([*nodes, *inside], key=lambda node: node.lineno)
    last = module.first[name].end_lineno
    return module.source(kept), "\\n".join(text for text in module.lines[count:last])


def find_program(question):
    """{output, prompt, entry, tests, reference, setup} -> {program, extracted}, as JSON text."""
    asked = json.loads(question)
    output = _escape.sub("", asked["output"].replace("\\r", "")).replace("\\0", "").removeprefix("\\ufeff")
    prompt, entry = asked["prompt"], asked["entry"]
    if prompt and not prompt.endswith("\\n"):
        prompt += "\\n"
    search = _Search()
    names = {entry} if entry else _wanted(asked["tests"], asked["reference"], asked["setup"])
    # The space that tokenizers of the Llama 2 kind put before a text.
    if re.match(" \\S", output):
        output = output[1:]
    lines = output.split("\\n")
    blocks = _blocks(lines)
    begins = next((line for line in lines if line.strip()), "")
    if entry and begins[:1] in (" ", "\\t") and not blocks and not re.match(r"\\s*(async\\s+)?(def|class|import|from)\\b", begins):
        if (found := _continued(search, prompt, entry, [lines[lines.index(begins) :]])) is not None:
            return json.dumps({"program": found[0], "extracted": found[1]})
    modules = []
    seen = set()
    for part in [*blocks, lines]:
        for text in search.runs(part):
            if text not in seen:
                seen.add(text)
                modules.append(_Module(text))
    best = max(modules, key=lambda m: (sum(map(m.defines, names)), m.size), default=None)
    if best is not None and (not names or any(map(best.defines, names))):
        extracted = _reduced(best, [m for m in modules if m is not best], sorted(names)) if names else best.text
        return json.dumps({"program": prompt + extracted, "extracted": extracted})
    if entry and (found := _continued(search, prompt, entry, [*blocks, lines])) is not None:
        return json.dumps({"program": found[0], "extracted": found[1]})
    # Nothing is found: the program is what was said, and fails by its own words.
    said = "\\n".join(blocks[0]) if blocks else output
    return json.dumps({"program": prompt + said, "extracted": said})
`;
