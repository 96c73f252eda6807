"""The faults of the broken programs fit the source as it is, so that none of them is the sound one by accident."""

import broken
import pytest


@pytest.mark.parametrize("each", broken.BREAKS, ids=lambda each: each.what)
def test_a_break_fits_the_source(each):
    assert each.source() != (broken.ROOT / each.file).read_text()
