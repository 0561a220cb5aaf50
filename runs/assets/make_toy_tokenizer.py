"""Makes runs/assets/toy-tokenizer.json from runs/assets/toy-corpus.txt.

A byte-level BPE: all 256 bytes are tokens, so any text encodes and decodes to itself. Digits are never joined.
Fragments of the script language are single tokens, so a design costs about a dozen tokens. Run from the repository root
with `tokenizers` 0.23.3 from PyPI:

    python3 runs/assets/make_toy_tokenizer.py
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
VOCABULARY_SIZE = 512
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FRAGMENTS = [
    "system\n", "user\n", "assistant\n",
    "return ", "agent('", "solve('", "')", "',", "ensemble([", "ensemble(", "sequence([", "])",
    "debate({debaters:[", "],rounds:1,judge:", "reflect({agent:", ",rounds:1})", "})",
    "const a=await ", ";const b=await ", ";return ", "a.answer==b.answer?a:", "question.includes('", "')?",
    ";#### ", "#### ", "ACCEPT", "REVISE",
]  # fmt: skip

# Texts whose ids are written beside the tokenizer; the tests of the JavaScript side compare with them.
CHECKED = [
    "<|im_start|>system\nsteps<|im_end|>\n<|im_start|>user\nTom has 12 pens and gets 7 more. How many pens?<|im_end|>\n"
    "<|im_start|>assistant\n12+7=19;#### 19<|im_end|>",
    "return ensemble([agent('steps'),agent('fast'),agent('plain')])",
    "const a=await agent('fast');const b=await agent('steps');return a.answer==b.answer?a:agent('plain')",
    "return debate({debaters:[agent('steps'),agent('plain')],rounds:1,judge:agent('steps')})",
    "return question.includes('bags')?agent('steps'):agent('fast')",
    "return reflect({agent:agent('steps'),rounds:1})",
    "check\n3 bags hold 4 cups each. How many cups?\n3*4=12;#### 12",
    "a  b\t\n\n c",
    "H\u00ebllo \u2713 w\u00f6rld {} \U0001f600",
    "return  agent( 'unknown words' ) // 1234567890",
    "",
]


def main() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d| ?[A-Za-z]+| ?[^\sA-Za-z\d]+|\s+"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE - len(FRAGMENTS),
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    # Each distinct line once, without the fragments (which are matched before the merges apply).
    corpus = (HERE / "toy-corpus.txt").read_text(encoding="utf-8")
    for fragment in sorted(FRAGMENTS, key=len, reverse=True):
        corpus = corpus.replace(fragment, "\n")
    tokenizer.train_from_iterator(corpus.split("\n"), trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in FRAGMENTS])
    tokenizer.save(str(HERE / "toy-tokenizer.json"))
    ids = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in CHECKED]
    (HERE / "toy-tokenizer.ids.json").write_text(json.dumps(ids, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()
