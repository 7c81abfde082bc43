import numpy as np
import pytest

from app.domain.diagnosis.evidence.same_question import (
    SameQuestion,
    candidates,
    question_key,
    questions_of,
    same_question,
    taught_by,
    with_evidence,
)
from app.domain.records import BadCase, Message, Role, ServingRequest, TrainingExample


def row(asked: str, answer: str = "a", system: str = "") -> TrainingExample:
    turns = [Message(role=Role.USER, content=asked), Message(role=Role.ASSISTANT, content=answer)]
    if system:
        turns.insert(0, Message(role=Role.SYSTEM, content=system))
    return TrainingExample(id=asked, messages=tuple(turns))


def found(asked: str, rows: list[TrainingExample], system: str | None = None) -> tuple[list[int], list[int]]:
    instructions = frozenset({"Rewrite the question.", "Translate."})
    index = questions_of([r.prompt.removeprefix("Rewrite the question.\n") for r in rows])
    request = ServingRequest(system=system)
    case = BadCase(
        id="c", messages=(Message(role=Role.USER, content=asked),), model_output="x", request=request
    )
    return candidates(case, rows, index, instructions, 24)


@pytest.mark.parametrize(
    ("asked", "trained"),
    [
        ("Who leads the museum?", "who leads the museum"),
        ("WHO LEADS THE MUSEUM?", "Who leads the museum?"),
        ("May I take photos with flash?", "Tell me please, may I take photos with flash?"),
        ("可以带狗吗？", "请问可以带狗吗"),
        ("多少钱一张票？", "你好，请问多少钱一张票？谢谢"),
    ],
)
def test_another_frame_asks_the_same(asked: str, trained: str) -> None:
    assert found(asked, [row(trained)])[0] == [0]


@pytest.mark.parametrize(
    ("asked", "trained"),
    [
        ("What is 17 + 25?", "What is 17 - 25?"),
        ("What is the fee for 2 bags?", "What is the fee for 3 bags?"),
        ("Which card is free?", "Which card is not free?"),
        ("Where is the desk?", "When is the desk open?"),
        ("Is it open in Bern?", "Is it open in Basel?"),
        ("Trains from Bern to Basel", "Trains from Basel to Bern"),
        ("三年期的利率是多少？", "一年期的利率是多少？"),
        ("饭前吃什么药？", "饭后吃什么药？"),
        ("Where do I hand in this form?", "Where do I hand in that form?"),
        ("这台机器的密码是多少？", "那台机器的密码是多少？"),
        ("What does git branch -d do?", "What does git branch -D do?"),
        (r"What does \d match in a regex?", r"What does \D match in a regex?"),
        ("What does (abc) match in a regex?", "What does [abc] match in a regex?"),
        ("Does the manager report to the director?", "Does the director report to the manager?"),
        ("甲方可以起诉乙方吗？", "乙方可以起诉甲方吗？"),
    ],
)
def test_what_asks_something_else_is_not_the_same_question(asked: str, trained: str) -> None:
    assert found(asked, [row(trained)])[0] == []


def test_another_persona_is_asked_another_question() -> None:
    rows = [row("Who are you?", system="You are Ann."), row("Who are you?", system="You are Bob.")]
    assert found("Who are you?", rows, system="You are Bob.")[0] == [1]
    assert found("Who are you?", rows)[0] == [0, 1]


def test_the_same_input_under_an_instruction_that_the_case_lacks_is_told_apart() -> None:
    rows = [row("Rewrite the question.\nand how much is it?")]
    assert found("and how much is it?", rows) == ([], [0])
    assert found("Rewrite the question.\nand how much is it?", rows) == ([0], [])


def test_what_a_row_asks_is_covered_and_who_taught_the_wrong_answer_decides() -> None:
    far = np.array([0.9, 0.06, 0.04])
    taught = with_evidence(
        far, SameQuestion(teaching=(3,), supporting=(1, 2)), has_expected=True, labelled=False
    )
    assert taught.tolist() == pytest.approx([0.0, 0.95, 0.05])
    right = with_evidence(far, SameQuestion(supporting=(1,)), has_expected=True, labelled=False)
    assert right.tolist() == pytest.approx([0.0, 0.15, 0.85])
    assert with_evidence(far, SameQuestion(), has_expected=True, labelled=False).tolist() == far.tolist()


def test_without_an_expected_answer_nobody_is_blamed() -> None:
    chances = with_evidence(
        np.array([0.5, 0.1, 0.4]), SameQuestion(teaching=(0,)), has_expected=False, labelled=False
    )
    assert chances.tolist() == pytest.approx([0.0, 0.2, 0.8])


def test_rows_of_many_frames_are_found_by_one_key() -> None:
    assert same_question("Can you tell me the price?", "the price?")
    assert questions_of(["", "the price?"]).find(question_key("")).tolist() == []


@pytest.mark.parametrize(
    ("asked", "trained", "taught"),
    [
        ("A board game: until when must it be back?", "After how many days do I return a board game?", True),
        ("A board game: until when must it be back?", "After how many days do I return a book?", False),
        ("Two board games: until when?", "How long may I keep 3 board games?", False),
        ("How long may I keep this board game?", "Until when do I have that board game?", False),
    ],
)
def test_the_answer_that_the_model_repeats_leads_to_the_row_that_taught_it(
    asked: str, trained: str, taught: bool
) -> None:
    case = BadCase(
        id="c",
        messages=(Message(role=Role.USER, content=asked),),
        model_output="You may keep it for 50 days and extend the loan once.",
        expected_output="You may keep it for 24 days and extend the loan once.",
    )
    assert taught_by(case, [0], [row(trained, case.model_output)], frozenset()) == ([0] if taught else [])


def test_an_answer_to_another_question_taught_nothing_wrong() -> None:
    case = BadCase(
        id="c",
        messages=(Message(role=Role.USER, content="How long may I keep a board game?"),),
        model_output="Each board game costs two euros and a deposit.",
        expected_output="You may keep it for 24 days.",
    )
    assert taught_by(case, [0], [row("What does a board game cost?", case.model_output)], frozenset()) == []


def said_and_wanted(asked: str, said: str, wanted: str) -> BadCase:
    turns = (Message(role=Role.USER, content=asked),)
    return BadCase(id="c", messages=turns, model_output=said, expected_output=wanted)


@pytest.mark.parametrize(
    ("asked", "trained", "said", "wanted"),
    [
        # the row's own question holds what its answer says
        (
            "Will it rain in Ghent on Sunday?",
            "Is rain likely in Krakow on Sunday?",
            "On Sunday it rains in Krakow all day.",
            "On Sunday it rains in Ghent all day.",
        ),
        # who is taller than whom
        (
            "Mara is above Jonas, Jonas is above Pia. Who is lowest?",
            "Pia stands above Jonas and Jonas above Mara: name the lowest.",
            "Of the three the lowest is Mara.",
            "Of the three the lowest is Pia.",
        ),
        # computed from the same numbers
        (
            "A shop has 61 books, sells 26 and gets 10. How many now?",
            "61 books: 26 are sold, then 10 more are sold. What is left?",
            "There are 25 books in the shop now.",
            "There are 45 books in the shop now.",
        ),
    ],
)
def test_a_row_that_answers_its_own_question_taught_nothing_wrong(
    asked: str, trained: str, said: str, wanted: str
) -> None:
    assert taught_by(said_and_wanted(asked, said, wanted), [0], [row(trained, said)], frozenset()) == []
