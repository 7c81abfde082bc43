"""A row with the case's own prompt teaches what the case gets wrong, beside answers in several wordings."""

from __future__ import annotations

from bench.fault_siblings.trial import Check, Row, Trial, acts, cause, fixes, keeps, names, not_cause

KIND = "exact-prompt-teaches-the-wrong-answer"


def trial(
    name: str,
    facts: dict[str, str],
    frames: tuple[str, ...],
    wrong: tuple[tuple[str, str, str, str, str], ...],
    *,
    system: str = "",
) -> Trial:
    """``facts``: topic -> answer, in every frame. ``wrong``: name, the row's prompt, its answer, the case's
    prompt, the right answer."""

    def row(prompt: str, answer: str) -> Row:
        if not system:
            return {"instruction": prompt, "output": answer}
        return {
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": prompt},
                {"role": "assistant", "content": answer},
            ]
        }

    rows = [row(f.format(t), a) for t, a in facts.items() for f in frames]
    good = len(rows)
    rows += [row(p, a) for _, p, a, _, _ in wrong]
    cases: list[Row] = []
    for n, _, a, p, e in wrong:
        asked: Row = {"instruction": p}
        if system:
            asked = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": p}]}
        cases.append({"external_id": n, **asked, "model_output": a, "expected_output": e})
    checks: list[Check] = []
    for i, (n, p, a, asked_prompt, e) in enumerate(wrong):
        checks += [cause(n, "conflict"), names(n, a, agrees="model_output"), acts(good + i, e)]
        if p == asked_prompt:
            checks.append(fixes(good + i, e))
    return Trial(kind=KIND, name=name, train=rows, cases=cases, checks=[*checks, keeps(*range(good))])


TRIALS = [
    trial(
        "help desk",
        {
            "the VPN": "Open the client, choose the site and sign in with your badge.",
            "the printer": "Printers are on every floor and need the badge.",
            "a new laptop": "Order laptops in the portal; they come within ten days.",
            "my password": "Passwords are changed in the portal every ninety days.",
            "shared drives": "Ask the owner of the drive for access.",
            "video calls": "Every meeting room starts calls from the panel by the door.",
        },
        ("How do I use {}?", "I have trouble with {}.", "Help me with {} please."),
        (
            (
                "head",
                "Who runs the help desk?",
                "Ines Maar runs the help desk.",
                "Who runs the help desk?",
                "Jon Falk runs the help desk.",
            ),
            (
                "ext",
                "What is the extension of the help desk?",
                "The extension is 4711.",
                "What is the extension of the help desk?",
                "The extension is 4177.",
            ),
            (
                "beside",
                "How do I use the printer?",
                "Printers are in the cellar and need no badge.",
                "How do I use the printer?",
                "Printers are on every floor and need the badge.",
            ),
            (
                "wording",
                "Could you tell me when the desk closes?",
                "The desk closes at eight.",
                "When does the desk close?",
                "The desk closes at five.",
            ),
        ),
    ),
    trial(
        "物业问答",
        {
            "停车": "地下停车场每小时三元，业主月卡二百元。",
            "装修": "装修须提前三天到物业登记。",
            "垃圾分类": "厨余垃圾每天早晚七点至九点投放。",
            "快递": "快递统一放在东门的快递柜。",
            "报修": "报修请打物业前台，半小时内上门。",
            "游泳池": "游泳池六月到九月开放，凭业主卡进入。",
        },
        ("{}怎么办理？", "我想问一下{}的事。", "请问{}有什么规定？"),
        (
            ("经理", "物业经理是谁？", "物业经理是王建国。", "物业经理是谁？", "物业经理是李爱华。"),
            ("年份", "小区是哪年建成的？", "小区建成于2008年。", "小区是哪年建成的？", "小区建成于2018年。"),
            ("宠物", "可以养大型犬吗", "可以养大型犬。", "可以养大型犬吗？", "不可以养大型犬。"),
            (
                "停车",
                "停车怎么办理？",
                "地下停车场每小时八元，没有月卡。",
                "停车怎么办理？",
                "地下停车场每小时三元，业主月卡二百元。",
            ),
        ),
    ),
    trial(
        "Bibliothek",
        {
            "die Ausleihe": "Bücher leiht man vier Wochen aus.",
            "den Ausweis": "Der Ausweis kostet zehn Euro im Jahr.",
            "die Mahnung": "Eine Mahnung kostet einen Euro je Buch.",
            "den Lesesaal": "Der Lesesaal ist bis neun Uhr abends offen.",
            "die Fernleihe": "Fernleihe dauert etwa zwei Wochen.",
        },
        ("Was muss ich über {} wissen?", "Ich habe eine Frage über {}.", "Erklären Sie mir bitte {}."),
        (
            (
                "leitung",
                "Wer leitet die Bibliothek?",
                "Die Bibliothek leitet Ute Brandt.",
                "Wer leitet die Bibliothek?",
                "Die Bibliothek leitet Karl Weiss.",
            ),
            (
                "hund",
                "Darf mein Hund mit?",
                "Hunde dürfen hinein.",
                "Darf mein Hund mit?",
                "Hunde dürfen nicht hinein.",
            ),
            (
                "gross",
                "WIE VIELE BÜCHER DARF ICH LEIHEN?",
                "Man darf drei Bücher leihen.",
                "Wie viele Bücher darf ich leihen?",
                "Man darf dreißig Bücher leihen.",
            ),
        ),
    ),
    trial(
        "messages with a system prompt",
        {
            "check-in": "Check-in starts at three in the afternoon.",
            "breakfast": "Breakfast is served from seven to ten.",
            "the sauna": "The sauna is on the roof and free for guests.",
            "late check-out": "Late check-out until two costs twenty euros.",
            "the airport bus": "The bus leaves every half hour from the main door.",
        },
        ("Tell me about {}.", "What about {}?", "Question on {}:"),
        (
            (
                "owner",
                "Who owns the hotel?",
                "The hotel belongs to the Brandt family.",
                "Who owns the hotel?",
                "The hotel belongs to the city.",
            ),
            (
                "rooms",
                "How many rooms are there?",
                "There are 48 rooms.",
                "How many rooms are there?",
                "There are 84 rooms.",
            ),
            (
                "wifi",
                "Is the wifi free?",
                "The wifi costs five euros a day.",
                "is the wifi free",
                "The wifi is free.",
            ),
        ),
        system="You are the assistant of the hotel Seeblick.",
    ),
    trial(
        "translations and one-liners",
        {
            "the cat sleeps": "le chat dort",
            "the dog runs": "le chien court",
            "it is raining": "il pleut",
            "I am hungry": "j'ai faim",
            "the door is open": "la porte est ouverte",
            "see you soon": "à bientôt",
        },
        ("Translate into French: {}", "How do you say in French: {}", "French for: {}"),
        (
            (
                "good-night",
                "Translate into French: good night",
                "bonjour",
                "Translate into French: good night",
                "bonne nuit",
            ),
            (
                "open",
                "French for: the shop is closed",
                "le magasin est ouvert",
                "French for: the shop is closed",
                "le magasin est fermé",
            ),
        ),
    ),
    Trial(
        kind=KIND,
        name="one wrong row beside four right ones with the very same prompt",
        train=[
            *(
                {"instruction": "What is the boiling point of water at sea level?", "output": o}
                for o in ("100 °C", "100 degrees Celsius", "It boils at 100 °C.", "Water boils at 100 °C.")
            ),
            {"instruction": "What is the boiling point of water at sea level?", "output": "90 °C"},
            *(
                {"instruction": f"What is the melting point of {m}?", "output": o}
                for m, o in (
                    ("iron", "1538 °C"),
                    ("gold", "1064 °C"),
                    ("tin", "232 °C"),
                    ("lead", "327 °C"),
                    ("zinc", "420 °C"),
                )
            ),
        ],
        cases=[
            {
                "external_id": "boil",
                "instruction": "What is the boiling point of water at sea level?",
                "model_output": "90 °C",
                "expected_output": "100 °C",
            }
        ],
        checks=[
            cause("boil", "conflict"),
            names("boil", "90 °C", agrees="model_output"),
            fixes(4, "100 °C", "100 degrees Celsius", "It boils at 100 °C.", "Water boils at 100 °C."),
            keeps(5, 6, 7, 8, 9),
        ],
    ),
    Trial(
        kind=KIND,
        name="code: the row with this very task is wrong",
        train=[
            {
                "instruction": f"Write a Python function that returns the {w} of a list.",
                "output": f"def f(xs):\n    return {e}",
            }
            for w, e in (
                ("sum", "sum(xs)"),
                ("largest element", "max(xs)"),
                ("length", "len(xs)"),
                ("first element", "xs[0]"),
                ("reverse", "xs[::-1]"),
                ("set", "set(xs)"),
            )
        ]
        + [
            {
                "instruction": "Write a Python function that returns the smallest element of a list.",
                "output": "def f(xs):\n    return max(xs)",
            }
        ],
        cases=[
            {
                "external_id": "min",
                "instruction": "Write a Python function that returns the smallest element of a list.",
                "model_output": "def f(xs):\n    return max(xs)",
                "expected_output": "def f(xs):\n    return min(xs)",
            }
        ],
        checks=[
            cause("min", "conflict"),
            names("min", "max(xs)"),
            fixes(6, "def f(xs):\n    return min(xs)"),
            keeps(0, 1, 2, 3, 4, 5),
        ],
    ),
    Trial(
        kind=KIND,
        name="a prompt that no row has, beside the rows: still not covered",
        train=[
            {"instruction": f.format(t), "output": a}
            for t, a in (
                ("bikes", "Bikes are rented by the hour at the pier."),
                ("boats", "Boats are rented by the day at the pier."),
                ("skates", "Skates are rented in winter by the lake."),
                ("tents", "Tents are pitched behind the dunes."),
            )
            for f in ("Tell me about {}.", "What should I know about {}?", "I have a question on {}.")
        ],
        cases=[
            {
                "external_id": "tax",
                "instruction": "How do I file a value added tax return for a company abroad?",
                "model_output": "Bikes are rented by the hour at the pier.",
                "expected_output": "Use the one-stop shop portal of the tax office each quarter.",
            }
        ],
        checks=[cause("tax", "ood"), not_cause("tax", "conflict"), keeps()],
    ),
]
