"""Calls in many threads, each with settings of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_settings_of_one_call_never_reach_another(bert) -> None:
    text = "a b c d e f g h"
    whole = bert(text)["input_ids"]

    def work(index: int) -> bool:
        length = 3 + index % 7
        kind = index % 4
        if kind == 0:
            return bert(text)["input_ids"] == whole
        if kind == 1:
            return bert(text, truncation=True, max_length=length)["input_ids"] == [*whole[: length - 1], 3]
        if kind == 2:
            padded = bert([text, "a"], padding="max_length", max_length=20)["input_ids"]
            return padded == [[*whole, *[0] * (20 - len(whole))], [2, 5, 3, *[0] * 17]]
        rows = bert(
            [text] * 3, truncation=True, max_length=length, padding=True, return_overflowing_tokens=True
        )
        return all(len(row) == length for row in rows["input_ids"])

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(2000)))
    assert bert(text)["input_ids"] == whole
