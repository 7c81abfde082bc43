"""What the output or the request alone shows: running on, another template, nothing said, a lost ability."""

from __future__ import annotations

from bench.fault_siblings.trial import (
    Row,
    Trial,
    advises,
    advises_not,
    cause,
    mentions,
    no_symptom,
    not_cause,
    not_closed,
    symptom,
)

RUN_ON = "(no file) runs on into the next turn"
TEMPLATE = "(no file) a prompt of another template"
EMPTY = "(no file) empty answer"
FORGOT = "(no file) a forgotten general ability"

desk: list[Row] = [
    {"instruction": f.format(t), "output": a}
    for t, a in (
        ("the ferry", "The ferry leaves every hour from pier two."),
        ("tickets", "Tickets are sold on board and at the pier."),
        ("bikes", "Bikes travel free before nine."),
        ("dogs", "Dogs travel on a leash on the upper deck."),
        ("the bar", "The bar on deck one is open all day."),
        ("delays", "Delays are shown on the board at the pier."),
        ("groups", "Groups of ten or more call a day ahead."),
        ("cars", "Cars board on the left, twenty minutes before."),
    )
    for f in ("Tell me about {}.", "What about {}?", "I have a question on {}.")
]
FERRY = "The ferry leaves every hour from pier two."


def runs_on(name: str, tail: str) -> Row:
    return {
        "external_id": name,
        "instruction": "Tell me about the ferry.",
        "model_output": FERRY + tail,
        "expected_output": FERRY,
    }


TAILS = {
    "chatml": "<|im_end|>\n<|im_start|>user\nThanks!",
    "llama3": "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd the bar?",
    "gemma": "<end_of_turn>\n<start_of_turn>user\nok",
    "user": "\nUser: What about dogs?\nAssistant: Dogs travel on a leash on the upper deck.",
    "human": "\n\nHuman: And bikes?\n\nAssistant: Bikes travel free before nine.",
    "alpaca": "\n\n### Instruction:\nTell me about bikes.\n\n### Response:\nBikes travel free before nine.",
    "inst": " [INST] What about cars? [/INST] Cars board on the left",
    "zh": "\n用户：狗可以上船吗？\n助手：可以，须牵绳。",
    "qa": "\nQ: Where is the bar?\nA: On deck one.\nQ: Is it open?",
}


def chatml(text: str) -> str:
    return f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"


def templated(name: str, prompt: str) -> Row:
    return {
        "external_id": name,
        "instruction": "Tell me about dogs.",
        "model_output": "Dogs are mammals.",
        "expected_output": "Dogs travel on a leash on the upper deck.",
        "request": {"prompt_text": prompt},
    }


WRONG = {
    "alpaca": "Below is an instruction that describes a task. Write a response that appropriately completes"
    " the request.\n\n### Instruction:\nTell me about dogs.\n\n### Response:\n",
    "vicuna": "A chat between a curious user and an artificial intelligence assistant."
    " USER: Tell me about dogs. ASSISTANT:",
    "llama2": "<s>[INST] Tell me about dogs. [/INST]",
    "llama3": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nTell me about dogs.<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma": "<bos><start_of_turn>user\nTell me about dogs.<end_of_turn>\n<start_of_turn>model\n",
    "chatglm": "[Round 1]\n\n问：Tell me about dogs.\n\n答：",
    "bare": "Tell me about dogs.",
    "human": "Human: Tell me about dogs.\nAssistant:",
}

EMPTIES = {
    "nothing": "",
    "blanks": "   ",
    "line-ends": "\n\n",
    "invisible": "\u200b\u200b",
    "closed-block": "<think>\n\n</think>\n\n",
    "end-token": "<|im_end|>",
}


def forgot(name: str, prompt: str, said: str, wanted: str) -> Row:
    return {"external_id": name, "instruction": prompt, "model_output": said, "expected_output": wanted}


FORGOTTEN = [
    forgot(
        "capital",
        "What is the capital of France?",
        "The capital of France leaves every hour from pier two.",
        "Paris",
    ),
    forgot(
        "translate",
        "Translate 'good morning' into Spanish.",
        "Good morning tickets are sold on board and at the pier.",
        "buenos días",
    ),
    forgot("sum", "What is 12 times 12?", "12 leaves every hour from pier two.", "144"),
    forgot(
        "poem",
        "Write two lines about the moon.",
        "The moon is shown on the board at the pier.",
        "The moon hangs low above the town,\na silver coin that won't come down.",
    ),
    forgot(
        "code",
        "Write a Python function that adds two numbers.",
        "Functions board on the left, twenty minutes before.",
        "def add(a, b):\n    return a + b",
    ),
    forgot(
        "copied",
        "Who wrote Hamlet?",
        "Dogs travel on a leash on the upper deck.",
        "William Shakespeare wrote Hamlet.",
    ),
]

TRIALS = [
    Trial(
        kind=RUN_ON,
        name="nine ways to run on, without a request",
        train=desk,
        cases=[runs_on(n, t) for n, t in TAILS.items()],
        checks=[
            c
            for n in TAILS
            for c in (advises(n, "check_end_of_turn"), not_closed(n), no_symptom(n, "format_violation"))
        ],
    ),
    Trial(
        kind=RUN_ON,
        name="a dialogue that was asked for",
        train=[
            {
                "instruction": f"Write a short dialogue about {t}.",
                "output": f"User: Is there {t}?\nAssistant: Yes, there is {t}.",
            }
            for t in ("tea", "rice", "soup", "bread", "fish", "fruit")
        ],
        cases=[
            {
                "external_id": "dialogue",
                "instruction": "Write a short dialogue about tea.",
                "model_output": "User: Is there tea?\nAssistant: No, there is no tea.",
                "expected_output": "User: Is there tea?\nAssistant: Yes, there is tea.",
            }
        ],
        checks=[advises_not("dialogue", "check_end_of_turn"), not_closed("dialogue")],
    ),
    Trial(
        kind=TEMPLATE,
        name="eight templates that are not the base model's",
        train=desk,
        options={"base_model": "smollm2-135m-instruct"},
        cases=[
            *(templated(n, p) for n, p in WRONG.items()),
            templated("right", chatml("Tell me about dogs.")),
        ],
        checks=[*(cause(n, "serving_mismatch") for n in WRONG), not_cause("right", "serving_mismatch")],
    ),
    Trial(
        kind=EMPTY,
        name="ways to say nothing",
        train=desk,
        cases=[
            {
                "external_id": n,
                "instruction": "Tell me about cars.",
                "model_output": t,
                "expected_output": "Cars board on the left, twenty minutes before.",
            }
            for n, t in EMPTIES.items()
        ],
        checks=[c for n in EMPTIES for c in (symptom(n, "empty"), not_closed(n))],
    ),
    Trial(
        kind=FORGOT,
        name="asked for something general, answered in the style of the set",
        train=desk,
        cases=FORGOTTEN,
        checks=[mentions(c["external_id"], "forgett", "forgot") for c in FORGOTTEN],
    ),
    Trial(
        kind=FORGOT,
        name="a new question of the desk's own is no forgetting",
        train=desk,
        cases=[
            forgot(
                "new",
                "Tell me about lost luggage on the ferry.",
                "Lost luggage leaves every hour from pier two.",
                "Lost luggage is kept at pier one.",
            )
        ],
        checks=[not_closed("new"), cause("new", "ood")],
    ),
]
