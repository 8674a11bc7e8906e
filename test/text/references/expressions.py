"""Small templates and what Jinja2, set up as transformers 5 does for chats, writes for them.

    python expressions.py > ../../fixtures/text/expressions.json

Each entry is [template, text], or [template, null] where Jinja2 refuses it. The values are in `context` of the output.
"""

import copy
import itertools
import json
import random

from transformers.utils.chat_template_utils import _compile_jinja_template

context = {
    "s": "  Hello wOrld's 2nd  \n",
    "code": "\n    def f(x):\n\t    return x\n\n",
    "e": "",
    "u": "Ünï𝒳 ÇOde 🎉 ßtraße\u00a0x",
    "csv": "a,b,,c ,d",
    "n": 7,
    "z": 0,
    "f": 2.0,
    "g": -3.75,
    "big": 12345678901234567890,
    "t": True,
    "no": False,
    "nil": None,
    "l": [3, 1, 2],
    "w": ["b", "A", "c", "a"],
    "m": [1, 2.5, "x", None, True, [1], {"k": "v"}],
    "el": [],
    "d": {"b": 1, "a": {"x": [1, 2.0, "é\n\"'"]}, "items": "own", "C": None, "f": 1e20},
    "ed": {},
    "msgs": [
        {"role": "system", "content": "Be <b>brief</b>."},
        {"role": "user", "content": "Hi\n\n"},
        {"role": "assistant", "content": "Yo", "tool_calls": [{"name": "f", "arguments": {"a": 1.0, "é": "ü"}}]},
    ],
}
names = list(context) + ["missing"]
literals = ["'abc'", "\"it's\"", "3", "-2", "0.5", "1e3", "1e16", "1e-5", "true", "none", "[1, 'a']", "{'k': 1}", "(1, 2)", "()", "(1,)", "'\\n\\t\\x41\\u00e9\\q\\\\'", "range(4)", "range(5, 0, -2)"]

filters = """abs capitalize center center(20) count default default('D') default('D',true) d('x') dictsort dictsort(true) dictsort(false,'key',true)
first float float(1.5) indent indent(2) indent(2,true) indent(width=3,blank=true) indent('> ') int int(9) items|list join join(', ') join('-')|upper last length
list lower map('string')|list map('upper')|join(',') map(attribute='role')|list map(attribute='role',default='?')|list max min reject|list reject('string')|list
rejectattr('role','equalto','user')|list replace('l','L') replace('','-') replace('a','b',1) reverse|list round round(1) round(1,'floor') round(2,method='ceil')
select|list select('string')|list select('odd')|list selectattr('role')|list selectattr('role','eq','user')|map(attribute='content')|list
selectattr('role','in',['user','system'])|list|length slice(2)|list batch(2)|list batch(2,'-')|list sort sort(true) sort(case_sensitive=true) sort(attribute='role')
string sum sum(start=10) title tojson tojson(indent=2) tojson(ensure_ascii=true) tojson(separators=(',',':')) tojson(sort_keys=true) tojson(indent=1,sort_keys=true)
trim trim('\\n') trim('H d') unique|list upper wordcount nosuch tojson|safe safe string|length list|tojson""".split()

methods = """strip() strip('\\n') strip(' H') strip(none) lstrip() lstrip('\\n') lstrip(' \\n') rstrip() rstrip('\\n') rstrip('d \\n') split() split(',') split(' ') split(none,1) split(',',2)
split(sep=',') split(maxsplit=1) split('') rsplit(',',1) rsplit(none,1) rsplit() splitlines() splitlines(true) upper() lower() title() capitalize() replace('l','') replace('o','0',1) replace('l')
startswith('He') startswith(('a','  ')) startswith(['a']) endswith('\\n') endswith(('x','d')) find('l') find('zz') rfind('o') index('e') count('l') count('') find('l',4) partition(',') rpartition(',')
removeprefix('  ') removesuffix('\\n') zfill(8) ljust(12)~'|' rjust(12,'*') center(13,'+') isalpha() isdigit() isspace() isupper() islower() isalnum() join(['a','b']) join([1])
items() items()|list keys()|list values()|list keys() get('b') get('zz') get('zz',5) get('a').x append(1) pop() update({}) copy() index(1) count(1) nosuch nosuch.deeper nosuch() format(1) real""".split()

tests = """defined undefined none true false boolean integer float number string mapping sequence iterable callable odd even lower upper divisibleby(3) divisibleby(2)
eq(7) ==(7) ne('x') gt(1) lt(3) in([7,'abc',none]) sameas(none) sameas(true) equalto('abc')""".split()
tests += ["not none", "not string", "divisibleby 3", "in [1, 7]", "eq 7"]

binary = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
subscripts = ["[0]", "[-1]", "[9]", "['b']", "['items']", ".items", ".b", ".0", "[1:]", "[:2]", "[::-1]", "[-2:]", "[1:3]", "[::2]", "[5:]", "[0:0]", "[:-1]", "['a']['x']", "[1.5]", "[none]", "[:none]", "[-100:100]", "[3::-1]"]

templates = []
values = names + literals
for value in values:
    templates += ["{{ %s }}" % value, "{{ not %s }}" % value, "{{ -%s }}" % value, "{{ +%s }}" % value, "{%% if %s %%}yes{%% else %%}no{%% endif %%}" % value]
    templates += ["{{ %s|%s }}" % (value, f) for f in filters]
    templates += ["{{ %s is %s }}" % (value, t) for t in tests]
    templates += ["{{ (%s)%s }}" % (value, x) for x in subscripts]
    templates += ["{{ (%s).%s }}" % (value, m) for m in methods]
    templates += ["{%% for x in %s %%}[{{ loop.index }}{{ x }}{{ loop.last }}]{%% else %%}none{%% endfor %%}" % value]
    templates += ["{%% set a, b = %s %%}{{ a }}|{{ b }}" % value]
templates = random.Random(0).sample(templates, 5000)
# Powers of the large number would take for ever.
pairs = [p for p in itertools.product(values, binary, values) if p[1] != "**" or "big" not in p]
random.Random(1).shuffle(pairs)
templates += ["{{ %s %s %s }}" % p for p in pairs[:2000]]

chains = []
rnd = random.Random(2)
for _ in range(2000):
    text = rnd.choice(values)
    for _ in range(rnd.randint(2, 4)):
        kind = rnd.random()
        if kind < 0.4:
            text = "%s|%s" % (text, rnd.choice(filters))
        elif kind < 0.7:
            text = "(%s).%s" % (text, rnd.choice(methods))
        elif kind < 0.85:
            text = "(%s)%s" % (text, rnd.choice(subscripts))
        else:
            text = "(%s %s %s)" % (text, rnd.choice([b for b in binary if b != "**"]), rnd.choice([v for v in values if v != "big"]))
    chains.append("{{ %s }}" % text)
templates += chains

# Precedence and forms of expressions.
templates += ["{{ %s }}" % x for x in [
    "1 < 2 < 3", "3 > 2 > 2", "1 < 3 > 2 == 2", "not 1 == 2", "not not true", "2 ** 3 ** 2", "-2 ** 2", "-1|abs", "1 + 2 * 3 - 4 // 3 % 2", "7 // -2", "-7 // 2", "-7 % 3", "7 % -3", "7.5 // 2", "-7.5 % 2", "7.5 % -2",
    "'a' ~ 1 ~ none ~ true ~ 2.0", "'a' + 'b' * 3", "1 if true", "1 if false", "'x' if false else 'y' if false else 'z'", "1, 2", "(1, 2)[0]", "'a' 'b'", "[1, 2,]", "{'a': 1,}", "{1: 2, none: 3}", "{'a': {'b': 1}}.a.b",
    "'%s-%s' % (1, 'x')", "'%d%%' % 5", "'%05.2f|%-5d|%5s' % (3.14159, 7, 'a')", "'%r' % 'x'", "'%(a)s' % {'a': 1}", "'%s'|format(5)", "'%x' % 255", "0x1f", "1_000", "0b11", "1.5e3", "012", "a.b.c", "missing.x", "missing|default({}) is mapping",
    "'x' in none", "1 in 'a'", "none == none", "true == 1", "1 == 1.0", "'1' == 1", "[1, 2] == [1, 2]", "{'a': 1} == {'a': 1.0}", "(1, 2) == [1, 2]", "missing == missing", "missing != 1", "missing < 1", "missing + 'a'", "'a' + missing", "missing ~ 'a'",
    "true + true", "true and 'x'", "'' or 'y'", "none or 0", "dict(a=1, b=2)", "dict([('a', 1)])", "dict({'x': 1}, y=2)", "namespace(a=1).a", "namespace(_a=1).a", "namespace(a=1).b", "raise_exception('no')", "strftime_now('%Y')|length",
    "range(3)", "range(3)|list", "range(200000)|length", "range(2,8,3)|list", "range(0)", "l.append(4)", "d.update({})", "s.format(1)", "'{}'.format(1)", "loop", "self", "caller()", "l|sum / l|length", "l|sort|first", "(l|sort)[0]", "w|sort(reverse=true)|join",
    "1e22", "1e21", "123456789.123", "0.1 + 0.2", "1/3", "2/1", "10**20", "10**20 * 1.0", "1e-7", "0.0001", "-0.0", "2.5|round", "3.5|round|int", "0.125|round(2)", "2.675|round(2)", "1e15 + 0.5", "'12'|int + 1", "' 12 '|int", "'1_0'|int", "'1.9'|int", "'x'|int(default=3)", "'0x1'|int", "'inf'|int", "none|int", "[]|int", "2.9|int", "-2.9|int", "'1e2'|float", "'.5'|float",
    "'abc'[1]", "'abc'[::-1]", "'abc'|first", "'𝒳y'|length", "'𝒳y'[0]", "'𝒳y'[1:]", "'𝒳' < '\\uffff'", "'a\\\nb'", "'\\U0001F600'", "'\\101'", "\"a'b\"", "['a', \"b'\", 'c\"d', '\\n', 'é', '\\x7f', '\\u200b']", "joiner()()", "(joiner('|'))()", "'ǆx'.title()", "'ŉ'.capitalize()", "'ﬁx'.title()", "'ΑΣ'.lower()", "'İ'.lower()|length", "'o\\'neil mc-donald'.title()", "'o\\'neil mc-donald'|title", "'a1b2'.title()",
    "'a\\x1cb'.split()", "'a\\x85b'.strip('\\x85')", "'\\ufeffa'.strip()|length", "'\\x1fa'.strip()", "'a\\rb\\x0bc'.splitlines()", "'a\\r\\nb'.splitlines(true)", "'a\\u2028b'|indent", "'x'.center(4)", "'x'.center(5)", "'xy'.center(5)", "'xy'|center(7)", "'x' is in 'xyz'", "1 is in [1]", "1 is not in [1]", "1 is odd is even", "'a' is string and 1", "x is defined and x", "(1 is odd)|string", "not missing is defined",
    "d|tojson", "d.a|tojson(indent=4)", "m|tojson", "missing|tojson", "msgs|tojson", "(1, 2)|tojson", "'</script>&\\'\\u2028\\x7f'|tojson", "'é\\x7f𝒳'|tojson(ensure_ascii=true)", "{'b': 1, 'a': 2}|tojson(sort_keys=true)", "[]|tojson(indent=2)", "{'a': []}|tojson(indent=2)", "1e16|tojson", "1.0|tojson", "big|tojson", "l|tojson(2)", "'a'|tojson(false, 2)", "range(3)|tojson", "d.keys()|tojson", "d.items()|list|tojson",
]]

statements = [
    "a\n{% if true %}\nb\n{% endif %}\nc\n", "  {% if true %}x{% endif %}  \n  y", "x  {% if true %}  y{% endif %}", "{{ 1 }}\n\n{{ 2 }}\n", "{{- 1 -}}  \n x", " \n {{- 1 }} \n", "{%- if true -%}\n\n x \n{%- endif -%}\n y", "{%+ if true %}x{% endif %}", "  {%+ if true %}x{%+ endif %}", "{% if true +%}\nx{% endif %}", "  {%- set a = 1 %}  b", "\t{# c #}\nx", "  {#- c -#}  x", "a {# c #}\nb", "a {# c +#}\nb", "  {{ 1 }}\n", "{% raw %}{{ x }}{% endraw %}\ny", "  {% raw %}\n {{ {% endraw %}  z", "{%- raw -%}  a  {%- endraw -%}  b",
    "a\r\nb\r{% if true %}\r\nc{% endif %}\r\n", "x\n\n", "x\n", "{{ 'a\r\nb' }}", "\n\n{% set x = 1 %}\n\n{{ x }}", "{% set x %}a\n{% endset %}[{{ x }}]", "{% set x | upper | trim %} a {% endset %}[{{ x }}]", "{% filter upper %}a{{ 'b' }}{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% for i in l if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}e{% endfor %}", "{% for i in [] %}{% else %}e{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in 'añ𝒳' %}<{{ c }}>{% endfor %}", "{% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}", "{% for (a, b) in ['xy'] %}{{ a }}{{ b }}{% endfor %}",
    "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "{% for i in [1, 2] %}{% if y is defined %}Y{% endif %}{% set y = 1 %}{% endfor %}", "{% set ns = namespace(a=0) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}", "{% if true %}{% set q = 5 %}{% endif %}{{ q }}", "{% if false %}{% set q = 5 %}{% endif %}{{ q }}", "{% for i in l %}{{ loop.first }}{{ loop.revindex }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{{ loop.depth }}{% endfor %}", "{% for i in [1, 2] %}{% for j in [1, 2] %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.index }}{% endfor %}{{ loop }}",
    "{% macro f(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, b=3) }}{{ f() }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}", "{% macro f() %}{{ v }}{% endmacro %}{% set v = 3 %}{{ f() }}", "{% macro f() %}{% set v = 9 %}{{ v }}{% endmacro %}{% set v = 3 %}{{ f() }}{{ v }}", "{% macro f(x) %}[{{ caller() }}{{ x }}]{% endmacro %}{% call f(1) %}in{% endcall %}", "{% macro f() %}{{ caller('a', 'b') }}{% endmacro %}{% call(x, y) f() %}{{ y }}{{ x }}{% endcall %}", "{% macro f() %}x{% endmacro %}{% call f() %}in{% endcall %}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro f(a, b=a) %}{{ b }}{% endmacro %}{{ f(4) }}", "{{ f(1) }}{% macro f(a) %}{{ a }}{% endmacro %}", "{% macro f(x) %}\n  {{ x }}\n{% endmacro %}\n[{{ f(1)|trim }}]", "{% for i in [1] %}{% macro g() %}{{ i }}{% endmacro %}{{ g() }}{% endfor %}", "{% macro f() %}a{% endmacro %}{{ f }}", "{% macro f() %}a{% endmacro %}{{ f.name }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% generation %}x{% set i = 1 %}{% endgeneration %}{{ i }}", "{%- generation -%} x {%- endgeneration -%} y", "a\n  {% generation %}\nb\n  {% endgeneration %}\nc", "{% set i = 1 %}{% generation %}{% set i = 2 %}{{ i }}{% endgeneration %}{{ i }}",
    "{% include 'x' %}", "{% block a %}x{% endblock %}", "{% do l.append(1) %}", "{% print(1) %}", "{% trans %}x{% endtrans %}", "{% autoescape true %}{{ '<' }}{% endautoescape %}", "{% if %}x{% endif %}", "{% if a if b else c %}x{% endif %}", "{% for x in a if b else c %}{% endfor %}", "{% endif %}", "{% if true %}", "{{ 1", "{% set 1 = 2 %}", "{% set true = 2 %}", "{{ 1 + }}", "{{ 'a }}", "{# open", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ }}", "{% %}", "}} x %} #}", "{ { x } }", "{{ '{{' }}{{ '%}' }}", "{{'}}'}}", "{% set a = '%}' %}{{ a }}", "{{ x.1 }}", "{{ l.0 }}", "{{ l.0.1 }}", "{{ 1.5.x }}", "{{ [[1,2],[3]].0.1 }}", "{% if 1 %}a{% elif 2 %}b{% else %}c{% endif %}", "{% if 0 %}a{% elif 2 %}b{% else %}c{% endif %}", "{% if 0 %}a{% elif 0 %}b{% else %}c{% endif %}", "{% set a, b = b, a %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set d2 = dict(d, z=1) %}{{ d2.z }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}", "{% set ns.x = 1 %}", "{% set d.x = 1 %}", "{% if true %}{% for x in l %}{{ x }}{% endfor %}{% endif %}",
    "{% for m in msgs %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}", "{% for m in msgs[1:] %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}", "{% for m in msgs|reverse %}{{ m.role }}{% endfor %}", "{% for m in msgs[::-1] %}{{ (msgs|length - 1) - loop.index0 }}{% endfor %}", "{% for m in msgs|selectattr('tool_calls', 'defined') %}{{ m.tool_calls[0].arguments|tojson }}{% endfor %}", "{% set s = msgs|selectattr('role', 'equalto', 'system')|list %}{{ s|length }}{{ s[0].content }}", "{% if msgs|selectattr('role', 'equalto', 'nobody') %}always{% endif %}", "{% set it = msgs|map(attribute='role') %}{{ it|list }}{{ it|list }}", "{{ msgs|map(attribute='role')|length }}", "{{ (msgs|map(attribute='role'))[0] }}", "{{ msgs|map('length')|list }}", "{{ d.items()[0] }}", "{{ d.items()|first }}", "{{ d.items()|length }}", "{{ d|items|length }}", "{{ d|length }}", "{{ d.values()|list|length }}", "{{ msgs|map(attribute='tool_calls.0.name')|list }}", "{{ msgs|map(attribute='role')|map('upper')|join('/') }}", "{{ msgs|sort(attribute='role')|map(attribute='role')|list }}", "{{ msgs|sort(attribute='role,content')|map(attribute='role')|list }}",
    "{{ caller }}", "{% set loop = 3 %}{{ loop }}", "{% for loop in l %}{{ loop }}{% endfor %}", "{% set messages = msgs %}{% for message in messages %}{% if loop.index0 == 0 and message.role == 'system' %}{% set content = '<<SYS>>\\n' + message.content + '\\n<</SYS>>\\n\\n' %}{{ content }}{% endif %}{% endfor %}", "{% for m in msgs %}{%- if m.role == 'user' %}\n    {{- 'U' }}\n{%- else %}\n    {{- 'A' }}\n{%- endif %}{% endfor %}", "{{ msgs[0]['content'].split('</b>')[-1].lstrip('.') }}", "{{ '\\n' + 'a' }}", "{{ \"\\n\" ~ 'b' }}", "{{ '\\\\n' }}", "{% set tools_in_user = false %}{% if not tools_in_user is defined %}x{% endif %}y", "{{ s if s is string else s|tojson }}", "{% for x in d|dictsort %}{{ x[0] }}{{ x[1] }}{% endfor %}", "{% for k, v in d|items %}{{ k }}{% endfor %}", "{% for k, v in missing|items %}{{ k }}{% else %}-{% endfor %}", "{{ missing.items() }}", "{{ ed.x }}", "{{ ed.x.y }}", "{{ ed['x'] is none }}", "{{ ed.get('x') is none }}", "{{ none.x }}", "{{ (1).x }}", "{{ nil.x is defined }}", "{{ nil['x'] }}", "{{ t.x }}", "{{ missing['x'] }}", "{{ missing() }}", "{{ n() }}", "{{ s() }}",
]
templates += statements
templates = list(dict.fromkeys(templates))


environment = _compile_jinja_template("").environment


def written(template):
    try:
        return environment.from_string(template).render(**copy.deepcopy(context))  # the filter indent changes a list
    except Exception:
        return None


entries = [[template, written(template)] for template in templates]
# What depends on the machine or the day is no reference.
entries = [[t, x] for t, x in entries if x is None or (" object at 0x" not in x and "<function" not in x and "<built-in" not in x and "<bound method" not in x)]
lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
print('{"context": %s,\n"entries": [\n%s\n]}' % (json.dumps(context, ensure_ascii=False), lines))
