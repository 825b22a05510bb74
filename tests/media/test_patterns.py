"""Relevant files in Lightly's notation."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.dataset.errors import DatasourceError
from saccade.dataset.media.patterns import RelevantFiles

FILES = ["1.png", "img 2.png", "s/4.png", "s/40.png", "s/41.png", "s/5.png", "s/deep/40.png", "sub/1.png", "t/1.jpg"]


def taken(*lines: str) -> list[str]:
    relevant = RelevantFiles.of(lines)
    return [name for name in FILES if relevant.match(name)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], FILES),
        (["", "  "], FILES),
        (["1.png", "nowhere.png"], ["1.png"]),
        (["img 2.png"], ["img 2.png"]),
        (["s/*"], ["s/4.png", "s/40.png", "s/41.png", "s/5.png", "s/deep/40.png"]),
        (["s*"], ["s/4.png", "s/40.png", "s/41.png", "s/5.png", "s/deep/40.png", "sub/1.png"]),
        (["*"], FILES),
        (["s/* s/4* !s/41.png"], ["s/4.png", "s/40.png"]),
        (["s/* 40.png"], ["s/40.png", "s/deep/40.png"]),
        (["s/* /s/*.png !s/4?.png"], ["s/4.png", "s/5.png"]),
        (["s/* deep/"], ["s/deep/40.png"]),
        (["* **/40.png"], ["s/40.png", "s/deep/40.png"]),
        (["* s/**"], ["s/4.png", "s/40.png", "s/41.png", "s/5.png", "s/deep/40.png"]),
        (["s/* s/4[0-1].png"], ["s/40.png", "s/41.png"]),
        (["s/* s/4[!1].png"], ["s/40.png"]),
        (["* *.jpg"], ["t/1.jpg"]),
        (["t/*", "1.png"], ["1.png", "t/1.jpg"]),
    ],
)
def test_lines_choose_files(lines, expected):
    assert taken(*lines) == expected


@pytest.mark.parametrize(
    "line", ["/abs.png", "./1.png", "../1.png", "a/../1.png", "s3://b/1.png", "a*b.png", "a* [z-a]"]
)
def test_a_line_that_cannot_be_meant_is_refused_with_the_line(line):
    with pytest.raises(DatasourceError, match=re.escape(repr(line))):
        RelevantFiles.of([line])


@given(
    st.lists(st.text("ab/*", min_size=1, max_size=5).filter(lambda s: not s.startswith("/")), max_size=5),
    st.text("ab/", max_size=6),
)
def test_whatever_matches_lies_in_a_span_that_is_listed(lines, key):
    try:
        relevant = RelevantFiles.of(lines)
    except DatasourceError:
        return
    spans = relevant.spans
    assert all(not one.is_beyond(key) or one.last < key for one in spans)
    assert [one for one in pairwise(spans) if not one[0].is_beyond(one[1].first)] == []
    if relevant.match(key):
        assert sum(one.first <= key and not one.is_beyond(key) for one in spans) == 1
