"""The search for planted secrets sees them in every spelling and packing that programs use."""

import base64
import gzip
import zlib
from urllib.parse import quote

import pytest
from team_project import SECRETS, found

WORD = SECRETS["member"]


@pytest.mark.parametrize(
    "written",
    [
        WORD.encode(),
        f"https://member:{quote(WORD, safe='')}@host".encode(),
        b"Authorization: Basic " + base64.b64encode(f"member:{WORD}".encode()),
        base64.b64encode(WORD.encode()),
        gzip.compress(f"log of {WORD}".encode()),
        zlib.compress(b"blob 20\0" + WORD.encode()),  # as git keeps a file
        gzip.compress(base64.b64encode(f"member:{WORD}".encode())),
    ],
)
def test_a_planted_word_is_found(written):
    assert WORD.encode() not in written or written == WORD.encode()
    assert found(written) == {"member"}


def test_nothing_else_is(tmp_path):
    for content in (b"", b"member", gzip.compress(b"x")[:9], b"\x78\x9c", b"\x78" * 99):
        assert found(content) == set()
