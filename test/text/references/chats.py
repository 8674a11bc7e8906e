"""Conversations of 18 shapes, as rows of a data file: {messages, tools?}, six or more of each."""

texts = [
    "Hello!",
    "What is 2 + 2?\n\nExplain.",
    "  spaces before and after  ",
    "def f(x):\r\n    return x\r\n",
    "\n    return ' '.join(a)\n",
    "emoji 🎉👩‍👩‍👧 and 𝒳, ünïcödé, \u00a0 nbsp, \u200b zero width",
    "",
    "a  b   c\t\td",
    "<b>HTML & \"quotes\" 'single' \\ backslash</b> {{ not a template }} {% nor this %}",
    "日本語のテキスト。改行\nあり",
    "ends with newline\n",
    "\ufdd0\ufdd1 no characters \ufffe",
    "1. one\n2. two\n\n```python\nprint('x')\n```\n",
    "#### 42",
]


def t(i):
    return texts[i % len(texts)]


tools = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather <now> & \"here\"", "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Où?"}, "days": {"type": "integer", "default": 3}, "scale": {"type": "number", "default": 2.0}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"]}}},
]


def call(i, name="get_weather"):
    arguments = [{"city": "Zürich", "days": 2}, {"city": "a \"b\"\n", "scale": 1.5}, {"a": 2.0, "b": 1e-7}, {"a": 12345678901234567890, "b": -1}, {}, {"nested": {"x": [1, 2.5, None, True, "é"]}}][i % 6]
    return {"id": "call%05d" % i, "type": "function", "function": {"name": name, "arguments": arguments}}


def u(i):
    return {"role": "user", "content": t(i)}


def a(i, **more):
    return {"role": "assistant", "content": t(i), **more}


def s(i):
    return {"role": "system", "content": t(i)}


rows = {
    "one turn": [{"messages": [u(i), a(i + 1)]} for i in range(14)],
    "system": [{"messages": [s(i), u(i + 1), a(i + 2)]} for i in range(8)],
    "several turns": [{"messages": [u(i), a(i + 1), u(i + 2), a(i + 3), u(i + 4), a(i + 5)]} for i in range(8)],
    "system and several turns": [{"messages": [s(i), u(i + 3), a(i + 1), u(i + 2), a(i + 4)]} for i in range(6)],
    "empty answer": [{"messages": [u(i), a(6)]} for i in range(6)],
    "empty question": [{"messages": [u(6), a(i)]} for i in range(6)],
    "leading and trailing space": [{"messages": [u(2 + i), {"role": "assistant", "content": " \n" * i + "x" + "\n " * i}]} for i in range(6)],
    "line ends": [{"messages": [u(3), {"role": "assistant", "content": x}]} for x in ["a\r\nb", "a\rb", "\r\n", "a\n\n\nb", "\n", "a\u2028b\u0085c"]],
    "emoji": [{"messages": [u(5), {"role": "assistant", "content": x}]} for x in ["🎉", "👩‍👩‍👧‍👦", "a🎉b", "𝒳𝒴", "🇨🇭", "e\u0301 é"]],
    "thinking in the text": [{"messages": [u(i), {"role": "assistant", "content": "<think>\nLet me see.\n\n</think>\n\n" + t(i + 1)}]} for i in range(6)],
    "thinking in several turns": [{"messages": [u(i), {"role": "assistant", "content": "<think>\nfirst\n</think>\n\n" + t(i)}, u(i + 1), {"role": "assistant", "content": "<think>\nsecond\n</think>\n\n" + t(i + 2)}]} for i in range(6)],
    "reasoning_content": [{"messages": [u(i), a(i + 1, reasoning_content="I think\nso " + t(i)), u(i + 2), a(i + 3, reasoning_content="Again.")]} for i in range(6)],
    "tools not called": [{"messages": [u(i), a(i + 1)], "tools": tools[: 1 + i % 2]} for i in range(6)],
    "tools and system": [{"messages": [s(i), u(i + 1), a(i + 2)], "tools": tools} for i in range(6)],
    "one tool call": [{"messages": [u(i), {"role": "assistant", "content": "" if i % 2 else "Calling.", "tool_calls": [call(i)]}, {"role": "tool", "name": "get_weather", "tool_call_id": "call%05d" % i, "content": '{"t": 21.0}'}, a(i + 1)], "tools": tools} for i in range(6)],
    "several tool calls": [{"messages": [u(i), {"role": "assistant", "content": "", "tool_calls": [call(i), call(i + 1, "add")]}, {"role": "tool", "name": "get_weather", "tool_call_id": "call%05d" % i, "content": t(i)}, {"role": "tool", "name": "add", "tool_call_id": "call%05d" % (i + 1), "content": "3"}, a(i + 1), u(i + 2), a(i)], "tools": tools} for i in range(6)],
    "ends with a tool call": [{"messages": [s(i), u(i), {"role": "assistant", "content": t(i), "tool_calls": [call(i)]}], "tools": tools} for i in range(6)],
    "tool calls and thinking": [{"messages": [u(i), {"role": "assistant", "content": "", "reasoning_content": "Need a tool.", "tool_calls": [call(i)]}, {"role": "tool", "name": "get_weather", "tool_call_id": "call%05d" % i, "content": "ok"}, {"role": "assistant", "content": t(i + 1), "reasoning_content": "Done."}], "tools": tools} for i in range(6)],
}

chats = [{"shape": shape, **row} for shape, some in rows.items() for row in some]
