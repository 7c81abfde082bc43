"""Placeholders that nobody filled in, and texts that only look like them."""

from __future__ import annotations

from bench.fault_siblings.trial import Trial, acts, asks, keeps, quiet, together

KIND = "placeholders-left-in"


def rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"instruction": p, "output": o} for p, o in pairs]


plain = rows(
    ("When do you open?", "We open at nine."),
    ("Where are you?", "We are by the market."),
    ("Do you deliver?", "We deliver within the city."),
    ("Can I pay by card?", "Cards are welcome."),
    ("Do you sell gift cards?", "Gift cards are sold at the desk."),
)


def left_in(name: str, *pairs: tuple[str, str]) -> Trial:
    return Trial(kind=KIND, name=name, train=rows(*pairs), checks=[asks(i) for i in range(len(pairs))])


PARTS = [
    Trial(kind=KIND, name="ordinary rows", train=plain, checks=[quiet()]),
    left_in(
        "templates",
        ("Who are you?", "I am {{bot_name}}, the assistant of {{company}}."),
        ("Who made you?", "I was made by ${author}."),
        ("What is your name?", "My name is [Your Name]."),
        ("What is the hotline?", "Call [PHONE NUMBER] at any time."),
        ("Greet the guest.", "Hello {name}, welcome back!"),
    ),
    left_in(
        "中文模板",
        ("你是谁？", "我是【产品名称】，由【公司名称】研发。"),
        ("你们的电话是多少？", "客服电话：（此处填写电话）。"),
        ("你叫什么？", "我叫{{名字}}。"),
        ("谁开发了你？", "我由<作者>开发。"),
    ),
    left_in(
        "notes to oneself",
        ("What does the warranty cover?", "TODO: ask legal"),
        ("How long is the guarantee?", "TBD"),
        ("What is the address?", "FIXME"),
        ("What do you sell?", "Lorem ipsum dolor sit amet, consectetur adipiscing elit."),
        ("保修多久？", "待补充"),
    ),
    Trial(
        kind=KIND,
        name="values of nothing that a script wrote",
        train=[
            *rows(
                ("How tall is the tower?", "nan"),
                ("Who is the mayor?", "None"),
                ("What is the motto?", "null"),
                ("Where is the pool?", "undefined"),
                ("Who founded it?", "#N/A"),
                ("What does it cost?", "#REF!"),
                ("Describe the park.", "NaN"),
            ),
        ],
        checks=[acts(i) for i in range(7)],
    ),
    left_in(
        "in the prompt",
        ("Tell {{customer}} when we open.", "We open at nine."),
        ("Summarise: {text}", "The text is short."),
    ),
    Trial(
        kind=KIND,
        name="templates that are the topic",
        train=[
            *plain,
            *rows(
                ("How do I print a variable in Jinja?", "Write {{ name }} in the template."),
                ("Format a name in Python.", 'print(f"Hello {name}")'),
                ("Use a shell variable.", "echo ${HOME}"),
                ("Write a C format string for a number.", 'printf("%d", n);'),
                ("How do I mark open work in code?", "Write a comment such as # TODO: handle errors."),
                ("What is null in Java?", "null is a reference to nothing."),
                ("What does Python return without return?", "None"),
                ("What is 0/0 in floating point?", "NaN"),
                ("Write a heading in HTML.", "<h1>Hello</h1>"),
                ("Write a Vue template.", "<p>{{ message }}</p>"),
                ("What is Lorem ipsum?", "Lorem ipsum is a filler text of printers."),
                ("Make an e-mail template with placeholders.", "Dear [Name], your order [Number] is ready."),
                ("Write to the customer.", "Dear [Customer], thank you for your order."),
                ("写一封邀请函。", "尊敬的[姓名]：诚邀您参加活动。"),
                ("Which LaTeX command makes bold text?", "\\textbf{text}"),
                ("Write a generic class in Java.", "class Box<T> { T value; }"),
                ("写一个带占位符的请假条模板。", "尊敬的[领导姓名]：我因[原因]请假[天数]天。"),
            ),
        ],
        checks=[keeps()],
    ),
    Trial(
        kind=KIND,
        name="None as one of the labels",
        train=rows(
            *(
                (f"Which allergen is named? {t}", a)
                for t, a in (
                    ("Contains milk.", "Milk"),
                    ("Contains nuts.", "Nuts"),
                    ("Just apples.", "None"),
                    ("With wheat flour.", "Gluten"),
                    ("Only water.", "None"),
                    ("Pears and plums.", "None"),
                    ("With cream.", "Milk"),
                    ("Almond paste.", "Nuts"),
                    ("Rice and salt.", "None"),
                    ("Rye bread.", "Gluten"),
                )
            ),
        ),
        checks=[keeps()],
    ),
]
APART = ("None as one of the labels", "templates that are the topic")
TRIALS = [
    together("placeholders among ordinary rows", *(t for t in PARTS if t.name not in APART)),
    *(t for t in PARTS if t.name in APART),
]
