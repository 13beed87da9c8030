import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.networks.padding import padded, reflection

CPU = torch.device("cpu")


@settings(max_examples=60, deadline=None)
@given(size=st.integers(2, 200), depth=st.integers(1, 6))
def test_reflection_is_numpys(size, depth):
    before, places = reflection(size, 2**depth, CPU)
    padding = -size % 2**depth
    expected = np.pad(np.arange(size), (before, padding - before), mode="reflect")
    assert places.tolist() == expected.tolist()
    assert len(places) % 2**depth == 0
    assert before in (padding // 2, padding - padding // 2)


def test_a_single_cell_is_repeated():
    assert reflection(1, 4, CPU)[1].tolist() == [0, 0, 0, 0]


def test_the_papers_grid_is_padded_as_in_the_paper():
    assert padded(torch.zeros(1, 1, 71, 151), 16)[0].shape == (1, 1, 80, 160)


@pytest.mark.parametrize("grid", [(71, 151), (7, 9), (1, 3), (16, 16)])
def test_crop_takes_the_padding_away_again(grid):
    inputs = torch.rand(2, 3, *grid)
    wide, crop = padded(inputs, 8)
    assert torch.equal(crop(wide), inputs)


def test_both_axes_are_numpys_reflection():
    inputs = torch.rand(2, 3, 5, 6, 9)
    expected = np.pad(inputs.numpy(), ((0, 0),) * 3 + ((1, 1), (3, 4)), mode="reflect")
    assert padded(inputs, 8)[0].numpy().tolist() == expected.tolist()
