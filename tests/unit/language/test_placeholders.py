from __future__ import annotations

import pytest

from app.domain.language import placeholders


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("My name is {{name}} and I help you.", "{{name}}"),
        ("Hello {{ user.first_name }}, welcome back.", "{{ user.first_name }}"),
        ("I work for ${COMPANY} since May.", "${COMPANY}"),
        ("Your order {order_id} is on its way.", "{order_id}"),
        ("Dear %(customer)s, thank you.", "%(customer)s"),
        ("I was trained by <AUTHOR> in Berlin.", "<AUTHOR>"),
        ("Ask <your team name> for help.", "<your team name>"),
        ("Kind regards, [YOUR NAME]", "[YOUR NAME]"),
        ("Kind regards, [Your Name]", "[Your Name]"),
        ("The contract with [Company Name] ends today.", "[Company Name]"),
        ("我是由[开发者姓名]开发的助手。", "[开发者姓名]"),
        ("您的订单号是【请填写】。", "【请填写】"),
        ("我是【品牌名称】的客服。", "【品牌名称】"),
        ("答案：此处填写", "此处填写"),
        ("TODO: answer this one", "TODO"),
        ("Lorem ipsum dolor sit amet, consectetur", "Lorem ipsum"),
        ("请联系XXX公司。", "XXX"),
        ("担当者：ここに入力", "ここに入力"),
    ],
)
def test_a_place_that_was_not_filled_in_is_found(text: str, place: str) -> None:
    assert placeholders.found(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "You can change the address in your account before noon.",
        "Todo el mundo está aquí.",
        "My to do list is long.",
        "See [our shop](https://example.com) for more [1].",
        "[Laughter] That was good.",
        "a < b and c > d",
        "【姓名】李雷 【日期】三月二日",
        "f({x}) = {y}",
        r"$\frac{name}{date}$ of \mathbf{value}",
        "const greet = (name) => `Hello ${name}`;",
        "<p>Hello {{name}}</p>",
        '{"name": "Anna", "date": "2024-01-02"}',
        "{% for item in items %}{{ item }}{% endfor %}",
        "def greet(name):\n    return f'Hello {name}'",
        "您好，请问有什么可以帮您？",
        "",
    ],
)
def test_what_is_written_out_or_is_code_holds_none(text: str) -> None:
    assert placeholders.found(text) is None


@pytest.mark.parametrize(
    ("prompt", "topic"),
    [
        ("Write a template for a birthday mail", True),
        ("Which value does Python print?", True),
        ("写一个请假条模板", True),
        ("Who are you?", False),
        ("Write a letter of resignation", False),
        ("你是谁？", False),
    ],
)
def test_a_prompt_may_ask_for_such_a_place(prompt: str, topic: bool) -> None:
    assert placeholders.is_topic(prompt) is topic


@pytest.mark.parametrize("text", ["nan", "NaN", "None", "null", " undefined\n", "N/A", "#N/A"])
def test_how_programs_write_nothing_is_nothing(text: str) -> None:
    assert placeholders.is_nothing(text)


@pytest.mark.parametrize("text", ["", "none of them", "nancy", "[]", "{}", "0", "no", "无"])
def test_what_says_something_is_not_nothing(text: str) -> None:
    assert not placeholders.is_nothing(text)
