"""A table of text on a page, with its rows as a CSV file inside a link."""

import base64
import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from soilfuse.report import labels

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = "%.9g"
SHORT = 10  # rows that a printed page keeps together
SHOWN = "CSV of this table"
UNROUNDED = f"CSV, unrounded: moisture in {labels.UNIT}, slopes in {labels.UNIT} a year"


@dataclass(frozen=True)
class Table:
    """A caption, a heading row and rows of text; the first cell of a row is its heading.

    data: the rows of the results that it is made from; None where the CSV holds the text as shown.
    """

    caption: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""
    words: bool = False  # cells are words rather than numbers
    data: "pd.DataFrame | None" = None

    @property
    def csv(self) -> str:
        """The rows as CSV: unrounded where they are known, else as shown with a plain minus."""
        if self.data is not None:
            told: str = self.data.to_csv(index=False, float_format=NUMBERS, lineterminator="\n")
            return told
        out = io.StringIO()
        written = csv.writer(out, lineterminator="\n")
        written.writerow(self.head)
        written.writerows([_plain(cell) for cell in row] for row in self.rows)
        return out.getvalue()

    def html(self, page: str = "") -> Markup:
        """Return the table as HTML with row and column headings; all text is escaped.

        page: whose name the file that the link gives begins with. The link holds the file itself:
        a page that lies alone on a disk has it too.
        """
        head = Markup().join(Markup('<th scope="col">{}</th>').format(cell) for cell in self.head)
        rows = Markup().join(
            Markup("<tr>{}{}</tr>").format(
                Markup('<th scope="row">{}</th>').format(row[0]),
                Markup().join(Markup("<td>{}</td>").format(cell) for cell in row[1:]),
            )
            for row in self.rows
        )
        note = Markup('<p class="note">{}</p>').format(self.note) if self.note else Markup()
        return Markup(
            '<div class="{}"><div class="scroll" tabindex="0" role="region" aria-label="{}">'
            "<table{}><caption><span>{}</span></caption><thead><tr>{}</tr></thead><tbody>{}</tbody>"
            '</table></div>{}<p class="download"><a download="{}" href="{}">{}</a></p></div>'
        ).format(
            "table short" if len(self.rows) <= SHORT else "table",
            self.caption,
            Markup(' class="words"') if self.words else "",
            self.caption,
            head,
            rows,
            note,
            file_name(f"{page} {self.caption}"),
            self._link,
            SHOWN if self.data is None else UNROUNDED,
        )

    @property
    def _link(self) -> str:
        # the mark at its head makes spreadsheets read UTF-8
        content = base64.b64encode(self.csv.encode("utf-8-sig")).decode("ascii")
        return f"data:text/csv;charset=utf-8;base64,{content}"


def file_name(title: str) -> str:
    """Return the name of a title's CSV, its units left out."""
    words = re.findall(r"[^\W_]+", re.sub(r"\(.*?\)", " ", title).lower())
    return "-".join(words) + ".csv"


def _plain(cell: str) -> str:
    return "" if cell == labels.MISSING else cell.replace("\u2212", "-")
