"""Requests that are asked ahead: in order, few at a time, each with its own error."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from config.errors import ObjectMissing
from jobs.verify.ahead import AT_ONCE, ask_ahead


def test_answers_come_in_order_with_the_errors_where_they_belong() -> None:
    def ask(number: int) -> int:
        if number % 7 == 3:
            raise ObjectMissing(str(number))
        return number * number

    for number, answer in ask_ahead(range(100), ask):
        if number % 7 == 3:
            with pytest.raises(ObjectMissing, match=f"^{number}$"):
                answer.read()
        else:
            assert answer.read() == number * number


def test_no_more_are_asked_than_fit_and_all_threads_end() -> None:
    before = threading.active_count()
    asked: list[int] = []
    for number, answer in ask_ahead(count(), asked.append):
        answer.read()
        assert len(asked) <= number + AT_ONCE
        if number == 50:
            break
    del answer
    assert threading.active_count() <= before + AT_ONCE
