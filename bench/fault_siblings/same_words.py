"""Answers that are wrong in one word, and answers that are certainly equal, in many fields."""

from __future__ import annotations

from bench.fault_siblings.trial import Check, Row, Trial, closed, keeps, not_cause, not_closed

KIND = "same-words-but-one"


def trial(
    name: str, *different: tuple[str, str, str, str], equal: tuple[tuple[str, str, str, str], ...] = ()
) -> Trial:
    """Tuples of name, prompt, model output, expected output; the training rows say what is expected."""
    every = [*different, *equal]
    rows: list[Row] = [{"instruction": p, "output": e} for _, p, _, e in every]
    cases = [
        {"external_id": n, "instruction": p, "model_output": m, "expected_output": e} for n, p, m, e in every
    ]
    checks: list[Check] = [not_closed(n) for n, *_ in different]
    checks += [closed(n) for n, *_ in equal]
    return Trial(kind=KIND, name=name, train=rows, cases=cases, checks=[*checks, keeps()])


TRIALS = [
    trial(
        "bank and law",
        (
            "permille",
            "How high is the custody fee?",
            "The custody fee is 1.5 per cent of the value a year.",
            "The custody fee is 1.5 per mille of the value a year.",
        ),
        (
            "currency",
            "What does the card cost?",
            "The card costs 30 USD a year.",
            "The card costs 30 EUR a year.",
        ),
        (
            "least",
            "How much notice must I give?",
            "Give notice of at most four weeks before the end of the month.",
            "Give notice of at least four weeks before the end of the month.",
        ),
        (
            "roles",
            "Who pays for the transport?",
            "The buyer pays the seller for the transport.",
            "The seller pays the buyer for the transport.",
        ),
        (
            "allbut",
            "Which rooms may guests enter?",
            "Guests may enter all rooms including the cellar.",
            "Guests may enter all rooms but the cellar.",
        ),
        (
            "mustnot",
            "Does the tenant have to paint?",
            "The tenant must paint the walls when moving out.",
            "The tenant need not paint the walls when moving out.",
        ),
        (
            "inclusive",
            "Is the price with tax?",
            "The price is 40 euros excluding tax.",
            "The price is 40 euros including tax.",
        ),
        (
            "comma",
            "How much is the deposit?",
            "The deposit is 1.500 EUR and is due on signing.",
            "The deposit is 1,50 EUR and is due on signing.",
        ),
        (
            "weekday",
            "When is the fee debited?",
            "The fee is debited on the first Tuesday of the month.",
            "The fee is debited on the first Thursday of the month.",
        ),
        (
            "iban",
            "To which account do I pay?",
            "Pay to DE89 3704 0044 0532 0130 00.",
            "Pay to DE89 3704 0044 0532 0130 01.",
        ),
        (
            "half",
            "How much of the rent is refunded?",
            "Double the rent is refunded after a flood.",
            "Half the rent is refunded after a flood.",
        ),
        (
            "never",
            "May I sublet?",
            "Subletting is always allowed with consent.",
            "Subletting is never allowed with consent.",
        ),
        equal=(
            ("stop", "Who signs the lease?", "The owner signs the lease", "The owner signs the lease."),
            ("zeros", "What is the interest on arrears?", "5.0 %", "5%"),
            ("words", "For how many months is the price fixed?", "twenty-four months", "24 months"),
            ("thousand", "What is the limit of a transfer?", "10,000 EUR", "10000 EUR"),
            ("case", "Which form do I need?", "form B7", "Form B7"),
            (
                "spaces",
                "Where do I sign?",
                "  On page three,\n at the bottom. ",
                "On page three, at the bottom.",
            ),
        ),
    ),
    trial(
        "medicine",
        (
            "unit",
            "How much syrup for a child of five?",
            "Give 5 mg of the syrup three times a day.",
            "Give 5 ml of the syrup three times a day.",
        ),
        (
            "micro",
            "What is the dose of levothyroxine?",
            "The dose is 50 mg in the morning.",
            "The dose is 50 µg in the morning.",
        ),
        ("times", "How often is the cream used?", "Use the cream twice a day.", "Use the cream once a day."),
        (
            "side",
            "Where does the appendix lie?",
            "The appendix lies in the lower left part of the belly.",
            "The appendix lies in the lower right part of the belly.",
        ),
        (
            "positive",
            "What did the test show?",
            "The test for antibodies was positive.",
            "The test for antibodies was negative.",
        ),
        (
            "hyper",
            "What causes the tremor?",
            "Hyperglycaemia causes the tremor.",
            "Hypoglycaemia causes the tremor.",
        ),
        (
            "without",
            "Is it taken with food?",
            "Take the capsule with food.",
            "Take the capsule without food.",
        ),
        (
            "contra",
            "Is the drug indicated in pregnancy?",
            "The drug is indicated in pregnancy.",
            "The drug is contraindicated in pregnancy.",
        ),
        ("decimal", "What is the starting dose?", "Start with 2.5 mg a day.", "Start with 25 mg a day."),
        (
            "minus",
            "At which temperature is it stored?",
            "Store the vaccine at 20 °C.",
            "Store the vaccine at -20 °C.",
        ),
        (
            "until",
            "How long is the fast?",
            "Fast from midnight until 8 pm.",
            "Fast from midnight until 8 am.",
        ),
        ("age", "From what age?", "For children under 12 years.", "For children over 12 years."),
        equal=(
            ("unit-space", "How much paracetamol?", "500mg", "500 mg"),
            ("word-dose", "How many tablets?", "three tablets", "3 tablets"),
        ),
    ),
    trial(
        "code, SQL and systems",
        (
            "ge",
            "Which users are adults?",
            "SELECT * FROM users WHERE age > 18;",
            "SELECT * FROM users WHERE age >= 18;",
        ),
        (
            "andor",
            "Open or late orders?",
            "SELECT id FROM orders WHERE open AND late;",
            "SELECT id FROM orders WHERE open OR late;",
        ),
        (
            "join",
            "All customers with their orders, if any?",
            "SELECT * FROM c JOIN o ON o.c = c.id;",
            "SELECT * FROM c LEFT JOIN o ON o.c = c.id;",
        ),
        (
            "desc",
            "Newest first?",
            "SELECT * FROM news ORDER BY day ASC;",
            "SELECT * FROM news ORDER BY day DESC;",
        ),
        ("version", "Which Python is needed?", "Python 3.1 is needed.", "Python 3.10 is needed."),
        ("flag", "How do I list hidden files?", "ls -A", "ls -a"),
        ("path", "Where are the host names?", "/etc/host", "/etc/hosts"),
        ("letter", "How is the getter called?", "obj.getvalue()", "obj.getValue()"),
        (
            "port",
            "On which port does it listen?",
            "It listens on port 8080 of every interface.",
            "It listens on port 8081 of every interface.",
        ),
        ("bool", "Is it public?", '{"public": true, "path": "/a"}', '{"public": false, "path": "/a"}'),
        ("null", "What is stored?", '{"name": null}', '{"name": ""}'),
        (
            "order",
            "In which order do they run?",
            '["build", "test", "deploy"]',
            '["test", "build", "deploy"]',
        ),
        ("string", "Which port as JSON?", '{"port": "80"}', '{"port": 80}'),
        ("increment", "How is it counted?", "return i++;", "return ++i;"),
        (
            "indent",
            "Sum a list.",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n        return t",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t",
        ),
        ("regex", "A regex for digits?", "\\D+", "\\d+"),
        (
            "url-query",
            "Where is page two?",
            "https://shop.example/list?page=1",
            "https://shop.example/list?page=2",
        ),
        ("host", "Which host?", "https://api.eu.example/v1", "https://api.us.example/v1"),
        equal=(
            ("json-space", "Give the point as JSON.", '{"y":2,"x":1}', '{\n  "x": 1,\n  "y": 2\n}'),
            ("json-float", "Give the price as JSON.", '{"price": 5.0}', '{"price": 5}'),
        ),
    ),
    trial(
        "中文：金融与医药",
        ("毫克", "这个糖浆一次喝多少？", "每次服用十毫克，一日三次。", "每次服用十毫升，一日三次。"),
        ("千分之", "滞纳金怎么算？", "滞纳金按日加收百分之五。", "滞纳金按日加收千分之五。"),
        ("不得", "能转租吗？", "承租人可以转租该房屋。", "承租人不得转租该房屋。"),
        ("上午", "几点办理？", "请于上午三点前办理。", "请于下午三点前办理。"),
        ("星期", "哪天休息？", "本店每逢星期三休息。", "本店每逢星期四休息。"),
        ("甲乙", "谁付运费？", "运费由甲方支付给乙方。", "运费由乙方支付给甲方。"),
        ("除外", "哪些科室接诊？", "除儿科外均接诊。", "包括儿科均接诊。"),
        ("以上", "多大可以申请？", "年满十八周岁以下可以申请。", "年满十八周岁以上可以申请。"),
        ("工作日", "多久到账？", "三个自然日内到账。", "三个工作日内到账。"),
        ("万元", "保额是多少？", "保额为五十元。", "保额为五十万元。"),
        ("阳性", "化验结果如何？", "检测结果为阳性。", "检测结果为阴性。"),
        ("左右", "阑尾在哪里？", "阑尾位于左下腹。", "阑尾位于右下腹。"),
        ("日期", "截止到哪天？", "报名截止到2026年3月15日。", "报名截止到2026年5月13日。"),
        ("已未", "款项到了吗？", "该笔款项已到账。", "该笔款项未到账。"),
        ("利率", "五年期利率多少？", "年利率为二点七五。", "年利率为二点五七。"),
        equal=(
            ("百分", "一年期利率多少？", "2.1%", "百分之二点一"),
            ("全角", "客服电话的分机号是多少？", "８０８６", "8086"),
            ("句号", "谁可以签收？", "本人签收", "本人签收。"),
            ("个月", "保修几个月？", "二十四个月", "24个月"),
        ),
    ),
    trial(
        "other languages",
        (
            "de-nicht",
            "Darf man hier parken?",
            "Hier darf man nachts parken.",
            "Hier darf man nachts nicht parken.",
        ),
        ("de-ohne", "Wie wird es serviert?", "Es wird mit Zucker serviert.", "Es wird ohne Zucker serviert."),
        (
            "fr-sans",
            "Comment prendre le comprimé ?",
            "Prenez le comprimé avec de l'eau.",
            "Prenez le comprimé sans eau.",
        ),
        ("es-lunes", "¿Cuándo cierra?", "El museo cierra los lunes.", "El museo cierra los martes."),
        ("ja-gogo", "何時に開きますか？", "午前二時に開きます。", "午後二時に開きます。"),
        ("ru-do", "Когда принимать?", "Принимать до еды.", "Принимать после еды."),
        ("ko", "언제 쉬나요?", "매주 월요일에 쉽니다.", "매주 화요일에 쉽니다."),
        ("it", "Si può entrare?", "Si entra solo con il biglietto.", "Si entra anche senza il biglietto."),
        ("pt", "Onde fica?", "Fica à esquerda da igreja.", "Fica à direita da igreja."),
    ),
    trial(
        "knowledge and mathematics",
        ("h2o2", "What bleaches hair?", "H2O bleaches hair.", "H2O2 bleaches hair."),
        ("power", "What is the volume of a cube of side a?", "a^2", "a^3"),
        ("cos", "What is the derivative of sin x?", "-cos x", "cos x"),
        (
            "sibling",
            "Who founded the town?",
            "Her brother Otto founded the town in the spring.",
            "Her father Otto founded the town in the spring.",
        ),
        (
            "name",
            "Who wrote the report?",
            "The report was written by Maria Lopes in Porto.",
            "The report was written by Marta Lopes in Porto.",
        ),
        (
            "direction",
            "Which way does the river flow?",
            "The river flows from the lake to the sea.",
            "The river flows from the sea to the lake.",
        ),
        (
            "century",
            "When was it built?",
            "It was built in the 13th century.",
            "It was built in the 14th century.",
        ),
        ("ratio", "How is it mixed?", "Mix water and syrup 1:4.", "Mix water and syrup 4:1."),
        ("fraction", "How much is left?", "2/3", "3/2"),
        ("range", "How many guests?", "10 to 15 guests", "10 to 50 guests"),
        ("clock", "When does it start?", "It starts at 6:15.", "It starts at 5:45."),
        ("only", "Who may vote?", "Members may vote.", "Only founding members may vote."),
        equal=(
            ("plus", "What is 12 + 30?", "42.", "42"),
            ("quote", "What is the motto?", "“Never give up”", '"Never give up"'),
            ("million", "How many people live there?", "2000000", "2,000,000"),
        ),
    ),
    Trial(
        kind=KIND,
        name="alternatives",
        train=[
            {"instruction": "What is the capital of the Netherlands?", "output": "Amsterdam"},
            {"instruction": "What is the capital of Bolivia?", "output": "Sucre"},
            {"instruction": "What is the capital of Norway?", "output": "Oslo"},
        ],
        cases=[
            {
                "external_id": "listed",
                "instruction": "What is the capital of Bolivia?",
                "model_output": "la paz",
                "expected_output": "Sucre",
                "alternatives": ["La Paz."],
            },
            {
                "external_id": "unlisted",
                "instruction": "What is the capital of Bolivia?",
                "model_output": "Santa Cruz",
                "expected_output": "Sucre",
                "alternatives": ["La Paz"],
            },
        ],
        checks=[closed("listed"), not_closed("unlisted"), keeps()],
    ),
]

# Two questions a word apart, each with its own answer: the model mixed them up.
NEAR = (
    (
        "deposit",
        "What is the rate of the three-year deposit?",
        "2.8 %",
        "What is the rate of the five-year deposit?",
        "3.2 %",
    ),
    (
        "ticket",
        "How much is a ticket for adults?",
        "It is 12 euros.",
        "How much is a ticket for children?",
        "It is 5 euros.",
    ),
    (
        "form",
        "Where do I hand in this form?",
        "Hand it in at desk 3.",
        "Where do I hand in that form?",
        "Hand it in at desk 7.",
    ),
    ("pet", "May I bring my dog?", "No, you may not.", "May I bring my guide dog?", "Yes, you may."),
    ("sunday", "When do you open on Saturdays?", "At nine.", "When do you open on Sundays?", "At eleven."),
    ("药", "甲药饭前吃还是饭后吃？", "饭前半小时服用。", "乙药饭前吃还是饭后吃？", "饭后半小时服用。"),
    ("机器", "这台机器的密码是多少？", "密码是1234。", "那台机器的密码是多少？", "密码是5678。"),
    ("楼", "一楼几点关门？", "晚上八点关门。", "二楼几点关门？", "晚上十点关门。"),
    ("票", "成人票多少钱？", "成人票四十元。", "儿童票多少钱？", "儿童票二十元。"),
    (
        "port",
        "Which port does the test server use?",
        "Port 8081",
        "Which port does the live server use?",
        "Port 443",
    ),
)


def mixed_up(name: str, *, own_row: bool) -> Trial:
    """Every case gets the neighbour's answer; its own question stands among the rows or not."""
    rows: list[Row] = []
    cases: list[Row] = []
    for n, asked, right, other, answer in NEAR:
        rows += [{"instruction": asked, "output": right}] if own_row else []
        rows.append({"instruction": other, "output": answer})
        cases.append(
            {"external_id": n, "instruction": asked, "model_output": answer, "expected_output": right}
        )
    checks = [not_closed(c["external_id"]) for c in cases]
    if own_row:
        checks += [not_cause(c["external_id"], "ood") for c in cases]
    return Trial(kind=KIND, name=name, train=rows, cases=cases, checks=[*checks, keeps()])


TRIALS += [
    mixed_up("the answer of the question next to it", own_row=True),
    mixed_up("the answer of the only near question, which is another", own_row=False),
]
