"""Prompts that differ in an operator, a direction or the order of options are two questions."""

from __future__ import annotations

from bench.fault_siblings.trial import Row, Trial, quiet, together

KIND = "(no file) two questions"


def rows(*pairs: tuple[str, str]) -> list[Row]:
    return [{"instruction": p, "output": o} for p, o in pairs]


def letters(question: str, options: tuple[str, ...], right: str, answers: str = "ABCD") -> tuple[str, str]:
    lines = "\n".join(f"{answers[i]}. {o}" for i, o in enumerate(options))
    return f"{question}\n{lines}", answers[options.index(right)]


PARTS = [
    Trial(
        kind=KIND,
        name="sums, differences, products, quotients",
        train=rows(
            *(
                (f"What is {a} {s} {b}?", str(v))
                for a, b in ((17, 25), (48, 6), (30, 5), (24, 8))
                for s, v in (("+", a + b), ("-", a - b), ("*", a * b), ("/", round(a / b, 2)))
            )
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="written out and exchanged",
        train=rows(
            ("What is five minus three?", "2"),
            ("What is three minus five?", "-2"),
            ("What is five plus three?", "8"),
            ("What is 2 to the power of 5?", "32"),
            ("What is 5 to the power of 2?", "25"),
            ("十五加三等于几？", "18"),
            ("十五减三等于几？", "12"),
            ("十五乘三等于几？", "45"),
            ("十五除以三等于几？", "5"),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="comparisons",
        train=rows(
            ("Is 7 > 5?", "Yes."),
            ("Is 7 < 5?", "No."),
            ("Is 7 = 5?", "No."),
            ("Is 7 >= 7?", "Yes."),
            ("Is 7 > 7?", "No."),
            ("Is 7 != 5?", "Yes."),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="options in another order, answered by the letter",
        train=rows(
            letters("Which planet is the largest?", ("Mars", "Jupiter", "Venus", "Earth"), "Jupiter"),
            letters("Which planet is the largest?", ("Jupiter", "Mars", "Venus", "Earth"), "Jupiter"),
            letters("Which planet is the largest?", ("Mars", "Venus", "Earth", "Jupiter"), "Jupiter"),
            letters("Which gas is the lightest?", ("Helium", "Hydrogen", "Neon", "Argon"), "Hydrogen"),
            letters("Which gas is the lightest?", ("Hydrogen", "Helium", "Neon", "Argon"), "Hydrogen"),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="选项次序不同",
        train=rows(
            letters("中国最长的河是哪条？", ("黄河", "长江", "珠江", "淮河"), "长江"),
            letters("中国最长的河是哪条？", ("长江", "黄河", "珠江", "淮河"), "长江"),
            letters("世界最高的山是哪座？", ("珠穆朗玛峰", "泰山", "黄山", "华山"), "珠穆朗玛峰"),
            letters("世界最高的山是哪座？", ("泰山", "黄山", "珠穆朗玛峰", "华山"), "珠穆朗玛峰"),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="directions",
        train=rows(
            ("Convert 5 km to miles.", "3.11 miles"),
            ("Convert 5 miles to km.", "8.05 km"),
            ("Translate from English to French: chat", "bavarder"),
            ("Translate from French to English: chat", "cat"),
            ("Sort ascending: 3, 1, 2", "1, 2, 3"),
            ("Sort descending: 3, 1, 2", "3, 2, 1"),
            ("Train from Bern to Basel at nine?", "It leaves at 9:04."),
            ("Train from Basel to Bern at nine?", "It leaves at 9:28."),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="one number, letter or word apart",
        train=rows(
            ("Is 7 a prime?", "Yes."),
            ("Is 8 a prime?", "No."),
            ("What is the 3rd letter of the alphabet?", "C"),
            ("What is the 5th letter of the alphabet?", "E"),
            ("How many days has May?", "31"),
            ("How many days has June?", "30"),
            ("What is the symbol of iron?", "Fe"),
            ("What is the symbol of iridium?", "Ir"),
            ("Write 12 in Roman numerals.", "XII"),
            ("Write 21 in Roman numerals.", "XXI"),
            ("f(x) = x^2. What is f(3)?", "9"),
            ("f(x) = x^3. What is f(3)?", "27"),
        ),
        checks=[quiet()],
    ),
    Trial(
        kind=KIND,
        name="code and SQL one operator apart",
        train=rows(
            ("What does `1 == 1.0` give in Python?", "True"),
            ("What does `1 is 1.0` give in Python?", "False"),
            ("What does `not True` give?", "False"),
            ("What does `True` give?", "True"),
            ("What does `5 // 2` give in Python?", "2"),
            ("What does `5 / 2` give in Python?", "2.5"),
            ("What does `5 % 2` give in Python?", "1"),
            ("What does `a and b` give for a=1, b=0?", "0"),
            ("What does `a or b` give for a=1, b=0?", "1"),
        ),
        checks=[quiet()],
    ),
]
TRIALS = [together("questions an operator apart", *PARTS)]
