"""The page of a proof: verdict first, every number of the run and none besides, nothing that is fetched or run."""

import html
import re

import pytest

from proof.page import render
from tests.unit.proof.proofs import MARKUP, Ended, proof


@pytest.mark.parametrize("ended", Ended)
def test_the_verdict_comes_first_and_every_record_and_check_is_there(ended: Ended) -> None:
    made = proof(ended)
    page = render(made)
    body = page.partition("<main>")[2]
    assert body.index('<h1 id="verdict">') < body.index("<h2")
    assert made.headline in page
    for chapter in made.chapters:
        for record in chapter.records:
            assert f'<td role="cell" class="number" data-label="seconds">{record.seconds:.1f}</td>' in page
            assert f'data-label="calls or inputs">{record.tried:,}</td>' in page
        assert page.count('data-label="result"') == len(made.checks)
    assert {fact.name for fact in made.facts} <= set(re.findall(r"<dt>(.*?)</dt>", page))


@pytest.mark.parametrize("ended", Ended)
def test_it_needs_nothing_and_text_from_outside_is_text(ended: Ended) -> None:
    page = render(proof(ended))
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert MARKUP not in page
    assert "<b onclick" not in page


def test_what_failed_stands_above_with_its_words_and_its_command() -> None:
    page = render(proof(Ended.FAILED))
    above = page.partition('id="failed"')[2].partition('aria-labelledby="locks"')[0]
    assert "assert 1 == 2" in above
    assert "./fridayctl test &#39;tests/integration/test_rollback.py::test_level_1&#39;" in above
    assert 'id="failed"' not in render(proof())


def test_what_was_left_out_is_said_with_its_reason() -> None:
    assert "1 left out: takes long: left out by --quick." in render(proof())


def test_why_the_tests_could_not_be_run_is_shown() -> None:
    assert "pytest ended with 4" in render(proof(Ended.BROKEN))
