from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.iso7064 import mod_11_2, mod_97_10

from app.domain.records import Message, Role, TrainingExample
from app.domain.repair.apply.apply import apply_actions
from app.domain.repair.draft.actions import ActionKind, ProposedAction
from app.domain.repair.draft.draft import Draft
from app.domain.repair.draft.inputs import PlanInputs
from app.domain.repair.draft.open_questions import STOPS_CYCLE, is_open, rows_kept_out
from app.domain.repair.policy.decision import Decision
from app.domain.repair.policy.pii import PiiKind, PiiMode, PiiPolicy, Uncertain
from app.domain.repair.policy.repair_policy import Approval, RepairPolicy
from app.domain.repair.rewriting import pii_step
from app.domain.repair.rewriting.pii import find_pii
from app.domain.repair.rewriting.pii.masking import masked
from app.domain.repair.rewriting.pii.surrogates import placeholder, surrogate
from tests.unit.repair.builders import example

# A key is put together here, so that no scanner takes it for one.
_KEY = "sk-" + "abc123DEF456ghi789jkl012mno"
_FOUND = [
    ("write to jane.roe@gmail.com please", PiiKind.EMAIL, "jane.roe@gmail.com"),
    ("邮箱是zhang_wei88@163.com，谢谢", PiiKind.EMAIL, "zhang_wei88@163.com"),
    ("打13812345678找我", PiiKind.PHONE, "13812345678"),
    ("手机138-1234-5678", PiiKind.PHONE, "138-1234-5678"),
    ("电话：010-62345678。", PiiKind.PHONE, "010-62345678"),
    ("reach me on +44 20 7946 0958.", PiiKind.PHONE, "+44 20 7946 0958"),
    ("Her number is (212) 556-0187.", PiiKind.PHONE, "(212) 556-0187"),
    ("call 5685552987 now", PiiKind.PHONE, "5685552987"),
    ("身份证11010519491231002X", PiiKind.ID_CARD, "11010519491231002X"),
    ("pay with 4111 1111 1111 1111", PiiKind.BANK_CARD, "4111 1111 1111 1111"),
    ("卡号6222020200112233", PiiKind.BANK_CARD, None),
    ("银行卡 4111111111111111", PiiKind.BANK_CARD, "4111111111111111"),
    ("IBAN DE89 3704 0044 0532 0130 00 IS OURS", PiiKind.IBAN, "DE89 3704 0044 0532 0130 00"),
    ("my SSN is 123-45-6789", PiiKind.SSN, "123-45-6789"),
    ("login from 8.8.8.8", PiiKind.IP, "8.8.8.8"),
    ("host 2001:4860:4860::8888", PiiKind.IP, "2001:4860:4860::8888"),
    ("他住在杭州市西湖区文三路478号。", PiiKind.ADDRESS, "杭州市西湖区文三路478号"),
    ("请寄到北京市朝阳区建国路88号院3号楼1202室。", PiiKind.ADDRESS, "北京市朝阳区建国路88号院3号楼1202室"),
    (
        "I live at 24 Oak Street, Springfield, IL 62704.",
        PiiKind.ADDRESS,
        "24 Oak Street, Springfield, IL 62704",
    ),
    (f"key {_KEY}", PiiKind.CREDENTIAL, _KEY),
    (
        "```\napi_key = 'a8f5f167f44f4964e6c998dee827110c'\n```",
        PiiKind.CREDENTIAL,
        "a8f5f167f44f4964e6c998dee827110c",
    ),
    ("我叫张伟，今年三十", PiiKind.NAME, "张伟"),
    ("Hello, my name is Jane Roe.", PiiKind.NAME, "Jane Roe"),
]


@pytest.mark.parametrize(("text", "kind", "value"), _FOUND)
def test_personal_data_is_found_where_the_text_says_so(text: str, kind: PiiKind, value: str | None) -> None:
    assert [(m.kind, text[m.start : m.end]) for m in find_pii(text)] == ([(kind, value)] if value else [])


@pytest.mark.parametrize(
    "text",
    [
        "13812345678 + 5 = 13812345683",
        "What is 2310-2274 times 5096306=2^5?",
        "Compute $$2660161=7^{2}\\times 54289$$",
        "The answer is 4111111111111112",
        "A number N = 4539578763621486 is divided by 7",
        "1234567890123456 people",
        "订单号13812345678已发货",
        "order id 6011000990139424",
        "ISBN 978-7-111-12806-9, 9787111128069",
        "2024-05-06 10:11:12 and 2024.05.06",
        "from 1990-1995 to 2001-2005",
        "555-0142 is for films, (212) 555-0142 too",
        "version 10.20.30.40 of section 1.2.3.4",
        "127.0.0.1, 192.168.1.20 and 10.0.0.5",
        "x = [12, 34, 56, 78, 90, 12, 34]",
        "call the function after 1000000 steps",
        "小明走了3号路，全长1200米",
        "He walked 24 Main Street blocks",
        "3.141592653589793 and 2.718281828459045",
        "mail user@example.com, logo@2x.png and @mention",
        "api_key = 'YOUR_API_KEY' and password: ********",
        "std::vector<int> at 12:30:45",
        "Tom has 12 apples, Jane 15; together 12+15=27",
        "身份证号码110105194912310021",
        "DE00 3704 0044 0532 0130 00",
        "(123) 456-7890 is no number",
    ],
)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    assert find_pii(text) == []


@given(st.sampled_from([f for f in _FOUND if f[2]]), st.binary(max_size=4))
def test_what_stands_in_is_of_the_same_kind_and_nobodys(found: tuple[str, PiiKind, str], salt: bytes) -> None:
    text, kind, value = found
    for stand_in in (surrogate(kind, value, salt), placeholder(kind)):
        start = text.index(value)
        changed = text.replace(value, stand_in)
        assert all(m.end <= start or m.start >= start + len(stand_in) for m in find_pii(changed))
    made = surrogate(kind, value, salt)
    assert made == surrogate(kind, value, salt)
    if kind in (PiiKind.PHONE, PiiKind.BANK_CARD):
        assert [c if not c.isdigit() else "0" for c in made] == [c if not c.isdigit() else "0" for c in value]
    digits = made.replace(" ", "")
    assert kind is not PiiKind.BANK_CARD or luhn.is_valid(digits)
    assert kind is not PiiKind.ID_CARD or mod_11_2.is_valid(digits)
    assert kind is not PiiKind.IBAN or mod_97_10.is_valid(digits[4:] + digits[:4])


def test_the_same_value_has_one_surrogate_however_it_is_written() -> None:
    one = surrogate(PiiKind.PHONE, "138 1234 5678", b"s").replace(" ", "")
    assert one == surrogate(PiiKind.PHONE, "13812345678", b"s")
    assert one != surrogate(PiiKind.PHONE, "13812345679", b"s")
    assert one != surrogate(PiiKind.PHONE, "13812345678", b"t")


@given(st.sampled_from(list(PiiKind)), st.text(min_size=1, max_size=30))
def test_a_mask_and_a_surrogate_can_be_made_of_anything(kind: PiiKind, value: str) -> None:
    assert surrogate(kind, value, b"")
    assert len(value) < 8 or value not in masked(kind, value)


@given(st.text(alphabet=st.characters(), max_size=60), st.sampled_from(_FOUND))
def test_matches_lie_in_the_text_in_order_and_apart(noise: str, found: tuple[str, PiiKind, str]) -> None:
    text = f"{noise}\n{found[0]}\n{noise}"
    matches = find_pii(text)
    assert all(0 <= m.start < m.end <= len(text) for m in matches)
    assert all(a.end <= b.start for a, b in pairwise(matches))


def _draft(rows: list[TrainingExample], **policy: object) -> Draft:
    draft = Draft.of(rows, RepairPolicy(**policy))
    material = PlanInputs(
        input_vectors=np.zeros((len(rows), 1), dtype=np.float32),
        output_vectors=np.zeros((len(rows), 1), dtype=np.float32),
        salt=b"salt",
    )
    pii_step.propose(draft, material)
    return draft


_ROW = example("a", "手机13812345678，身份证11010519491231002X", "mail jane.roe@gmail.com")


def _keeps_out(action: ProposedAction) -> bool:
    opened = is_open(action.kind, action.decision, action.evidence)
    return opened and bool(rows_kept_out(action.kind, action.example_ids, action.evidence))


def test_what_is_certain_goes_and_everything_else_waits_for_a_person() -> None:
    draft = _draft([_ROW, example("b", "我叫张伟，请回电", "login from 8.8.8.8")])
    decisions = {a.evidence["rule"]: (a.decision, _keeps_out(a)) for a in draft.actions}
    assert decisions == {
        "pii_id_card": (Decision.APPROVED, False),
        "pii_phone": (Decision.APPROVED, False),
        "pii_email": (Decision.APPROVED, False),
        "pii_name": (Decision.PROPOSED, True),
        "pii_ip": (Decision.PROPOSED, True),
    }
    # Later steps see what is decided, and only that.
    assert draft.examples[0].messages[0].content == "手机[PHONE]，身份证[ID_CARD]"
    assert draft.examples[1].messages[0].content == "我叫张伟，请回电"
    assert {a.decision for a in _draft([_ROW], approve=Approval.ALL).actions} == {Decision.APPROVED}
    assert {a.decision for a in _draft([_ROW], approve=Approval.NONE).actions} == {Decision.PROPOSED}
    kept = _draft([example("b", "我叫张伟，请回电", "ok")], pii=PiiPolicy(uncertain=Uncertain.KEEP))
    assert not _keeps_out(kept.actions[0])
    stopped = _draft([example("b", "我叫张伟，请回电", "ok")], pii=PiiPolicy(uncertain=Uncertain.STOP))
    assert stopped.actions[0].evidence[STOPS_CYCLE]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Extract the e-mail: write to tom.hale@acme-mail.org today", "tom.hale@acme-mail.org"),
        ("客户电话 +86 138 1234 5678，请记下号码", "138-1234-5678"),
        ("Call me on +44 20 7183 8750 after six.", "I will call 020 7183 8750 after six."),
        ("key AKIA" + "Q7WERTY3ASDF5GHJ leaked, who is told?", "Revoke AKIA" + "Q7WERTY3ASDF5GHJ at once."),
    ],
)
@pytest.mark.parametrize("mode", [PiiMode.REDACT, PiiMode.REPLACE])
def test_one_value_has_one_stand_in_in_prompt_and_answer(asked: str, answer: str, mode: PiiMode) -> None:
    draft = _draft([example("a", asked, answer)], pii=PiiPolicy(mode=mode))
    (action,) = draft.actions
    assert action.decision is Decision.APPROVED
    said = draft.examples[0].messages[-1].content
    assert find_pii(said) == find_pii(draft.examples[0].messages[0].content) == []
    if mode is PiiMode.REDACT:
        kind = action.evidence["rule"].removeprefix("pii_").upper()
        assert f"[{kind}]" in said
        assert f"[{kind}]" in draft.examples[0].messages[0].content


def test_a_value_goes_from_calls_reasoning_and_rejected_answers_too() -> None:
    call = {"function": {"name": "send", "arguments": '{"to": "tom.hale@acme-mail.org", "n": 1}'}, "id": "c1"}
    answer = Message(
        role=Role.ASSISTANT,
        content="",
        extra={"tool_calls": [call], "reasoning_content": "Tom is at tom.hale@acme-mail.org"},
    )
    row = replace(
        example("a", "Mail tom.hale@acme-mail.org", "x"),
        rejected=(Message(role=Role.ASSISTANT, content="to TOM.HALE@acme-mail.org?"),),
    )
    row = replace(row, messages=(*row.messages[:-1], answer))
    changed = _draft([row]).examples[0]
    assert "hale@" not in json.dumps(changed.content()).casefold()
    assert json.loads(changed.messages[-1].extra["tool_calls"][0]["function"]["arguments"]) == {
        "to": "[EMAIL]",
        "n": 1,
    }
    assert changed.messages[-1].extra["tool_calls"][0]["id"] == "c1"


def test_a_name_is_replaced_in_the_answer_in_full_and_in_part() -> None:
    row = example("a", "Hello, my name is Jane Roe.", "Hello Jane! Your file, Ms. Roe, is ready.")
    (action,) = _draft([row], pii=PiiPolicy(mode=PiiMode.REPLACE)).actions
    assert action.decision is Decision.PROPOSED
    after = json.dumps(action.after)
    assert "Jane" not in after
    assert "Roe" not in after
    chinese = _draft([example("b", "我叫张伟，请问快递到了吗", "张先生您好，已经到了")]).actions[0]
    assert "张" not in json.dumps(chinese.after, ensure_ascii=False)


def test_two_values_of_a_kind_stay_two() -> None:
    row = example("a", "Ask ann.lee@acme-mail.org or bo.kim@acme-mail.org", "I ask bo.kim@acme-mail.org")
    assert _draft([row]).examples[0].messages[-1].content == "I ask [EMAIL_2]"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Is +44 20 7183 8750 a valid number?", "Yes, of London."),
        ("Who writes from tom.hale@acme-mail.org?", "Somebody called tom.hale."),
        ("卡号 4111 1111 1111 1111 的后四位是多少", "1111"),
    ],
)
def test_a_row_whose_answer_rests_on_the_value_is_asked_about(asked: str, answer: str) -> None:
    assert [a.decision for a in _draft([example("a", asked, answer)]).actions] == [Decision.PROPOSED]


@pytest.mark.parametrize(
    "text",
    [
        "write to support@acme-mail.org",
        "mail jane@example.com or call (212) 555-0142",
        "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE",
        "call toll-free 1-800-253-0000",
    ],
)
def test_what_documentation_and_offices_give_out_is_nobodys(text: str) -> None:
    assert find_pii(text) == []


def test_reasons_and_evidence_never_tell_the_value() -> None:
    rows = [example(f"r{i}", text, "ok") for i, (text, _, _) in enumerate(_FOUND)]
    draft = _draft(rows)
    assert len(draft.actions) == sum(value is not None for _, _, value in _FOUND)
    told = json.dumps([[a.reason, dict(a.evidence)] for a in draft.actions], ensure_ascii=False)
    assert not [value for _, _, value in _FOUND if value and value in told]
    assert "138****5678" in told
    assert all(a.kind is ActionKind.REDACT for a in draft.actions)


def test_replacements_are_the_same_in_all_rows_and_rejected_answers_count() -> None:
    rejected = (Message(role=Role.ASSISTANT, content="打13812345678"),)
    rows = [_ROW, replace(example("b", "电话 138 1234 5678", "ok"), rejected=rejected)]
    draft = _draft(rows, pii=PiiPolicy(mode=PiiMode.REPLACE), approve=Approval.ALL)
    stand_in = surrogate(PiiKind.PHONE, "13812345678", b"salt")
    assert stand_in in draft.examples[0].messages[0].content
    assert draft.examples[1].messages[0].content.replace(" ", "") == f"电话{stand_in}"
    assert draft.examples[1].rejected[0].content == f"打{stand_in}"


def test_a_policy_chooses_kinds_or_none() -> None:
    only = PiiPolicy(kinds=frozenset({PiiKind.EMAIL}))
    assert [a.evidence["rule"] for a in _draft([_ROW], pii=only).actions] == ["pii_email"]
    assert _draft([_ROW], pii=PiiPolicy(mode=PiiMode.OFF)).actions == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (True, "give an object"),
        ({"mode": "hide"}, "input should be 'redact'"),
        ({"kinds": []}, "at least 1 item"),
        ({"kind": []}, "no field"),
    ],
)
def test_a_pii_policy_is_refused_with_the_fact_and_the_mend(raw: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PiiPolicy.from_dict(raw)


def test_a_pii_policy_survives_its_own_dictionary() -> None:
    policy = PiiPolicy(
        mode=PiiMode.REPLACE, uncertain=Uncertain.STOP, kinds=frozenset({PiiKind.EMAIL, PiiKind.PHONE})
    )
    assert PiiPolicy.from_dict(policy.as_dict()) == policy
    assert RepairPolicy.from_dict({"pii": policy.as_dict()}).pii == policy


def test_redactions_of_one_call_compose_in_any_choice() -> None:
    arguments = '{"to": "tom.hale@acme-mail.org", "text": "call +44 20 7183 8750"}'
    call = {"function": {"name": "send", "arguments": arguments}, "id": "c1"}
    answer = Message(role=Role.ASSISTANT, content="", extra={"tool_calls": [call]})
    row = example("a", "Tell Tom to call", "x")
    row = replace(row, messages=(*row.messages[:-1], answer))
    actions = _draft([row]).actions
    applied = apply_actions([row], actions, new_id=lambda: "new").rows[0].example
    said = applied.messages[-1].extra["tool_calls"][0]["function"]["arguments"]
    assert json.loads(said) == {"to": "[EMAIL]", "text": "call [PHONE]"}
    one = [
        replace(a, decision=Decision.REJECTED) if a.evidence["rule"] == "pii_email" else a for a in actions
    ]
    applied = apply_actions([row], one, new_id=lambda: "new").rows[0].example
    said = applied.messages[-1].extra["tool_calls"][0]["function"]["arguments"]
    assert json.loads(said) == {"to": "tom.hale@acme-mail.org", "text": "call [PHONE]"}
