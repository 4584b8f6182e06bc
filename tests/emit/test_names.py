"""Names of tensors become names in C, whatever they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deeploy.emit.names import KEYWORDS, Names, comment, identifier, string


@given(st.text())
def test_identifiers(text: str) -> None:
    name = identifier(text)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
    assert name not in KEYWORDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv", "conv"),
        ("model/layer 1.weight", "model_layer_1_weight"),
        ("/Relu_3_output", "Relu_3_output"),
        ("3d", "v_3d"),
        ("int", "v_int"),
        ("core", "v_core"),
        ("", "v"),
        ("größe", "gr__e"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert identifier(text) == expected


@given(st.lists(st.sampled_from(["a", "a_1", "a b", "a/b", "for", "1"])))
def test_names_are_given_once(hints: list[str]) -> None:
    names = Names()
    given = [names.fresh(hint) for hint in hints]
    assert len(set(given)) == len(hints)


def test_the_first_one_keeps_its_name() -> None:
    names = Names()
    assert [names.fresh("tile") for _ in range(3)] == ["tile", "tile_1", "tile_2"]
    assert names.fresh("tile_1") == "tile_1_1"


@given(st.text())
@example("ends with a backslash \\")
@example("two \\\\")
def test_comments_stay_in_their_line(text: str) -> None:
    line = comment(text)
    assert line.isprintable() and line.isascii()
    assert not line.endswith("\\")


def test_trigraphs_do_not_continue_a_comment() -> None:
    """`??/` is a backslash in C99."""
    for text in ("what??/", "größe/é??/", "ééé/"):
        assert not comment(text).endswith("??/")


@pytest.mark.parametrize(
    "hint",
    ["i0", "i12", "dpl_min", "network_L1", "NETWORK_CORES", "NULL", "memcpy", "int32_t", "uint8_t"],
)
def test_names_of_generated_code_are_not_given_away(hint: str) -> None:
    assert Names().fresh(hint) == f"v_{hint}"


def test_names_that_are_taken() -> None:
    names = Names("L1", "load")
    assert [names.fresh(hint) for hint in ("L1", "load", "L2")] == ["L1_1", "load_1", "L2"]


def test_strings() -> None:
    assert string("conv 1") == '"conv 1"'
    assert string('a "b"\\') == r'"a \"b\"\\"'
    assert string("what??/") == r'"what\?\?/"'
    assert string("é1\n") == r'"\303\2511\012"'
