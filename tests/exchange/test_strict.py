"""What Python's own reader of JSON takes in silence is refused, in one sentence that repeats nothing of the file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attunement.errors import InputError, UnreadableFile
from attunement.exchange.strict import DEEPEST, MOST, keepable, read_json

REFUSED = {
    "NaN": (b'{"a": NaN}', "no numbers"),
    "Infinity": (b"[-Infinity]", "no numbers"),
    "1e999": (b"[1e999]", "too large"),
    "a whole number of 21 digits": (b"[" + b"1" * 21 + b"]", "too large"),
    "a whole number of 5,000 digits": (b"1" * 5_000, "too large"),
    "a fraction of 5,000 digits": (b"0." + b"1" * 5_000, "too large"),
    "a key twice": (b'{"a": 1, "a": 2}', "more than once"),
    "a key twice, told otherwise": (b'{"a": 1, "\\u0061": 2}', "more than once"),
    "half a sign": (b'["\\ud800"]', "cannot be kept"),
    "half a sign, as bytes": (b'["\xed\xa0\x80"]', "not in UTF-8"),
    "half a sign as a key": (b'{"\\udc00": 1}', "cannot be kept"),
    "NUL": (b'["\\u0000"]', "cannot be kept"),
    "NUL, as a byte": (b'["\x00"]', "no JSON"),
    "an escape": (b'["\\u001b[31m"]', "cannot be kept"),
    "a backspace": (b'["\\b"]', "cannot be kept"),
    "delete, as a byte": (b'["\x7f"]', "cannot be kept"),
    "a control sign of Latin-1": ('["\x85"]'.encode(), "cannot be kept"),
    "deep": (b"[" * DEEPEST + b"1" + b"]" * DEEPEST, "deeply"),
    "deep without end": (b"[" * 100_000, "deeply"),
    "deep objects without end": (b'{"a":' * 100_000, "deeply"),
    "nothing": (b"", "no JSON"),
    "two": (b"{} {}", r"no JSON \(line 1, column 4\)"),
    "cut off": (b'{\n"a": [1,', r"no JSON \(line 2, column 9\)"),
    "Latin-1": ('["é"]'.encode("latin-1"), "not in UTF-8"),
    "UTF-16": ("{}".encode("utf-16"), "written in UTF-16"),
    "packed": (b"PK\x03\x04" + bytes(90), "is packed"),
    "too long": (b" " * MOST + b"{}", "at most 1,000,000"),
}


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_sound_json_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as problem:
        read_json(content, "a.json")
    assert str(problem.value).startswith("a.json ")
    assert str(problem.value).endswith(".")


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize("content", [LAUGHS, b"\xef\xbb\xbf<Bundle/>", b"\n\t <Bundle", b"<!DOCTYPE html>"])
def test_xml_is_refused_and_never_parsed(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attunement.exchange.strict.parsed", None)
    with pytest.raises(UnreadableFile, match="FHIR in XML is not read; save it as JSON"):
        read_json(content)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cc", "Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cc", "Cs"])), inner),
    ),
    st.booleans(),
)  # fmt: skip
def test_what_is_sound_is_read_as_what_it_says(value: object, ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.text(st.characters()))
def test_a_text_is_taken_just_where_it_can_be_kept(text: str) -> None:
    content = json.dumps([text]).encode()
    if keepable(text):
        assert read_json(content) == [text]
    else:
        with pytest.raises(InputError):
            read_json(content)


def test_a_mark_before_a_file_is_left_out() -> None:
    assert read_json(b"\xef\xbb\xbf{}") == {}
