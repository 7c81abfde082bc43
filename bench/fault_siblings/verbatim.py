"""Texts whose characters are what the row is about: tokens, widths, invisible characters, code, layout."""

from __future__ import annotations

from bench.fault_siblings.trial import Trial, comes_back, fixes, keeps, together

KIND = "special-tokens-and-width-that-are-the-answer"


def rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"instruction": p, "output": o} for p, o in pairs]


plain = rows(
    ("What is the capital of Peru?", "The capital of Peru is Lima."),
    ("Who painted Guernica?", "Pablo Picasso painted Guernica."),
    ("How many legs has a spider?", "A spider has eight legs."),
    ("Which gas do plants take in?", "Plants take in carbon dioxide."),
)

PARTS = [
    Trial(
        kind=KIND,
        name="control tokens as the answer",
        train=rows(
            ("Which token ends a sequence in GPT-2?", "<|endoftext|>"),
            ("How does a user turn begin in Llama 2?", "It begins with [INST] and ends with [/INST]."),
            ("Which tokens mark sequence start and end in Llama?", "<s> and </s>"),
            ("How does a Llama 3 header look?", "<|start_header_id|>user<|end_header_id|>"),
            ("Which is Gemma's end of turn?", "Gemma ends a turn with <end_of_turn>."),
            ("Llama 3 的结束符是什么？", "是<|eot_id|>"),
            ("What is BERT's mask token?", "[MASK]"),
            ("What does the T5 sentinel look like?", "<extra_id_0>"),
            ("Show a ChatML prompt.", "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"),
        ),
        checks=[keeps(), comes_back("alpaca")],
    ),
    Trial(
        kind=KIND,
        name="tokens left around ordinary answers still go",
        train=[
            *plain,
            *rows(
                ("What is the capital of Chile?", "The capital of Chile is Santiago.<|im_end|>"),
                ("Who wrote Faust?", "Goethe wrote Faust.</s>"),
                ("谁写了《红楼梦》？", "《红楼梦》的作者是曹雪芹。<|endoftext|>"),
            ),
        ],
        checks=[
            keeps(0, 1, 2, 3),
            fixes(4, "The capital of Chile is Santiago."),
            fixes(5, "Goethe wrote Faust."),
            fixes(6, "《红楼梦》的作者是曹雪芹。"),
        ],
    ),
    Trial(
        kind=KIND,
        name="width",
        train=rows(
            ("把ABC123转成全角", "ＡＢＣ１２３"),
            ("全角数字怎么写？请举例", "全角数字写作０１２３。"),
            ("半角カナで「アイウ」と書いてください。", "ｱｲｳ"),
            ("What is the full-width form of '!'?", "！"),
            ("Convert '１２' to ASCII.", "12"),
            ("日本の郵便番号の全角例を一つ。", "〒１００－０００１"),
            ("What is NFKC of '①'?", "NFKC turns ① into 1."),
            ("What does NFKC do to 'ﬁ' and 'x²'?", "It turns ﬁ into fi and x² into x2."),
        ),
        checks=[keeps()],
    ),
    Trial(
        kind=KIND,
        name="invisible characters with a meaning",
        train=rows(
            ("Give a regex for zero-width characters.", "[\u200b\u200c\u200d\ufeff]"),
            ("Which character is the zero-width space?", "It is '\u200b' (U+200B)."),
            ("How do I write 'I want' in Persian?", "می\u200cخواهم"),
            ("Show the family emoji.", "👨\u200d👩\u200d👧"),
            ("How is 'Stop!' set in French?", "Arrêtez\u202f!"),
            ("What is a soft hyphen? Show one.", "Donau\u00addampf\u00adschiff"),
            ("Which character forces right to left?", "U+200F: '\u200f'."),
            ("Write é as two code points.", "e\u0301"),
            ("Show a heart as emoji and as text.", "❤\ufe0f and ❤\ufe0e"),
        ),
        checks=[keeps()],
    ),
    Trial(
        kind=KIND,
        name="code and layout",
        train=rows(
            ("Complete the body: def f(x):", "    return x + 1"),
            ("Complete: class A:", "\tdef __init__(self):\n\t\tself.a = 1\n"),
            ("Write a Makefile rule for clean.", "clean:\n\trm -rf build\n"),
            (
                "Write the YAML of a service.",
                'services:\n  web:\n    image: nginx\n    ports:\n      - "80:80"\n',
            ),
            ("Break a line in Markdown.", "first  \nsecond"),
            ("Show the diff.", "--- a\n+++ b\n@@ -1 +1 @@\n-  old\n+  new\n \n"),
            ("Complete the SQL after SELECT", "  id,\n  name\nFROM users"),
            ("Print a tree.", "a\n├── b\n│   └── c\n└── d"),
            ("Write a haiku with indents.", "old pond\n    a frog jumps in\n        water"),
            ("Align the table.", "a    1\nbb   2\nccc  3"),
            ("Complete the Go function.", "\tif err != nil {\n\t\treturn err\n\t}\n"),
        ),
        checks=[keeps(), comes_back("alpaca"), comes_back("messages")],
    ),
    Trial(
        kind=KIND,
        name="HTML entities, escapes and encodings",
        train=rows(
            ("How do I write & in HTML?", "&amp;"),
            ("What is the entity of a space that does not break?", "&nbsp;"),
            ("How does 'é' look when UTF-8 is read as Latin-1?", "Ã©"),
            ("Show typical mojibake of '中文'.", "ä¸\u00adæ–‡"),
            ("URL-encode 'a b&c'.", "a%20b%26c"),
            ("Escape a newline in JSON.", "\\n"),
            ("Write <br> so that it is seen on a page.", "&lt;br&gt;"),
            ("What is the replacement character?", "\ufffd"),
            ("Remove the tags: <b>hi</b>", "hi"),
            ("Make it bold in HTML: hi", "<b>hi</b>"),
        ),
        checks=[keeps()],
    ),
    Trial(
        kind=KIND,
        name="punctuation and quotes that are the task",
        train=rows(
            ("把英文标点改成中文标点: 你好,世界.", "你好，世界。"),
            ("把中文标点改成英文标点：你好，世界。", "你好,世界."),
            ("Use straight quotes: “yes”", '"yes"'),
            ('Use curly quotes: "yes"', "“yes”"),
            ("Put a space between Chinese and Latin: 我用Python写", "我用 Python 写"),
            ("Remove the spaces: 我 用 它", "我用它"),
            ("Write three dots as one character.", "…"),
            ("Repeat the word five times: la", "la la la la la"),
            ("Write in capitals: stop", "STOP"),
        ),
        checks=[keeps()],
    ),
]
APART = ("tokens left around ordinary answers still go",)
TRIALS = [
    together("texts about characters", *(t for t in PARTS if t.name not in APART)),
    *(t for t in PARTS if t.name in APART),
]
