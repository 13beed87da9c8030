"""The table of broken station files: what breaks a whole one, and words the error must hold."""

from breaking import lines, raw, text

FIRST = b"2010/06/01 00:00"


def doubled(changes=lambda line: line):
    """Repeat a record, changed."""
    return lines(lambda all_: [*all_[:10], changes(all_[9]), *all_[10:]])


def another_value(line):
    parts = line.split()
    return line.replace(parts[-3], b"0.0123")


def of_date(old, new):
    return raw(lambda whole: whole.replace(old, new, 2))


def columns(edit):
    """Change the fields of every record of a CSV."""

    def edited(all_):
        return [all_[0], *(b",".join(edit(line.split(b","))) for line in all_[1:])]

    return lines(edited)


def field(number, new):
    """Put another text into one field of the fifth record."""

    def edited(all_):
        fields = all_[5].split(b",")
        fields[number] = new
        return [*all_[:5], b",".join(fields), *all_[6:]]

    return lines(edited)


def decimal_commas():
    return columns(lambda fields: [*fields[:7], *fields[7].split(b"."), fields[8]])


def scaled(numbers, factor):
    def edit(fields):
        for number in numbers:
            fields[number] = b"%.4f" % (float(fields[number]) * factor)
        return fields

    return columns(edit)


def scaled_records(factor):
    """Multiply the third field from the end of every ISMN record."""

    def edited(all_):
        kept = []
        for line in all_:
            parts = line.split()
            if parts[-1] == b"M":
                parts[-3] = b"%.4f" % (float(parts[-3]) * factor)
                line = b" ".join(parts)
            kept.append(line)
        return kept

    return lines(edited)


def exchanged(all_):
    return [*all_[:9], all_[10], all_[9], *all_[11:]]


# What either text format of the ISMN may suffer.
ANY_ISMN = [
    ("empty", raw(lambda _: b""), ("is no header: got ''", "download the file again")),
    ("bare text", raw(lambda _: b"please log in"), ("is no header: got 'please log in'",)),
    ("an hour missing", text(" 00:00 ", " ", 1), ("expected", "download")),
    ("cut within a line", raw(lambda whole: whole[:-6]), ("",)),
    ("latitude 133", text("33.9", "133.9"), ("lies at 133.9N", "expected degrees")),
    ("across the globe", text("102.1", "-102.1"), ("degrees from any other", "correct its place")),
    ("out of order", lines(exchanged), ("a later time", "each time once and in order")),
    ("a time twice", doubled(another_value), ("with another value",)),
    ("30 February", of_date(FIRST, b"2010/02/30 00:00"), ("unreadable record", "2010/02/30")),
    ("25 o'clock", of_date(FIRST, b"2010/06/01 25:00"), ("",)),
    (
        "beyond its name",
        raw(lambda w: w.replace(b"2010/08/31", b"2010/09/30")),
        ("outside the 2010",),
    ),
    ("decimal comma", text(" 0.2", " 0,2", 4), ("",)),
    ("unknown flag", text(" G M", " ok M"), ("flag 'ok'", "expected one as G, U, M")),
    ("percent", scaled_records(100), ("are no volume fraction", "percent instead of a fraction?")),
    ("no text", raw(lambda whole: b"\xff\xfe" + whole), ("is no text",)),
]
HEADER = [
    (
        "depth below its name's",
        text("   0.05    0.05", "   5.00    5.00"),
        ("0.05 m as in its name",),
    ),
    ("header only", lines(lambda all_: all_[:1]), ("unreadable record", "download it again")),
    ("no header", lines(lambda all_: all_[1:]), ("is no header: got '2010/06/01",)),
    ("no depths", text("   0.05    0.05", ""), ("is no header",)),
    ("one depth only", text("   0.05    0.05", "   0.05"), ("is no header",)),
    (
        "negative depth",
        text("   0.05    0.05", "  -0.05   -0.05"),
        ("from -0.05 to -0.05", "0 to 10 m"),
    ),
    (
        "upside down",
        text("   0.05    0.05", "   0.10    0.05"),
        ("from 0.1 to 0.05 m", "upper one"),
    ),
    (
        "lat and lon exchanged",
        text("33.90000   102.10000", "102.10000   33.90000"),
        ("lies at 102.1N",),
    ),
]
CEOP = [
    ("depth below its name's", text("0.05 0.05", "5.00 5.00"), ("0.05 m as in its name",)),
    (
        "two sensors",
        text("0.05 0.05", "0.10 0.10", 1),
        ("describes its sensor", "one sensor a file"),
    ),
    ("negative depth", text("0.05 0.05", "-0.05 -0.05"), ("from -0.05 to -0.05", "0 to 10 m")),
    ("upside down", text("0.05 0.05", "0.10 0.05"), ("from 0.1 to 0.05 m", "upper one")),
    ("no depths", text(" 0.05 0.05", ""), ("is no header",)),
]
CMA = [
    ("empty", raw(lambda _: b""), ("it is empty; expected a CSV",)),
    ("header only", lines(lambda all_: all_[:1]), ("unreadable", "no record")),
    ("a page", raw(lambda _: b"<html>\nplease log in\n"), ("unreadable", "expected a CSV")),
    ("no text", raw(lambda w: w.replace(b"5602", b"\xb2\xe2", 3)), ("unreadable", "'utf-8'")),
    (
        "semicolons",
        raw(lambda w: w.replace(b",", b";")),
        ("parted by semicolons, not by commas; expected a CSV",),
    ),
    ("no depths", columns(lambda f: f[:5] + f[6:]), ("has 8 fields and the first 9",)),
    ("a column less", lines(lambda a: [b",".join(x.split(b",")[:-1]) for x in a]), ("quality",)),
    ("decimal comma", decimal_commas(), ("a decimal comma",)),
    ("cut within a line", raw(lambda whole: whole[:-9]), ("a line cut off?",)),
    ("dates with slashes", raw(lambda w: w.replace(b"2016-", b"2016/")), ("dates as 2015-07-11",)),
    ("day first", columns(lambda f: [*f[:4], b"08-01-2016", *f[5:]]), ("unreadable", "08-01-2016")),
    ("30 February", field(4, b"2016-02-30"), ("unreadable", "2016-02-30")),
    ("another year", raw(lambda w: w.replace(b"2016-", b"2017-")), ("date 2017-01-08", "of 2016")),
    ("a record twice", doubled(), ("date 2016-01", "one record a station, date and depth")),
    ("words for numbers", field(7, b"wet"), ("unreadable", "wet")),
    ("a fraction", scaled([7], 0.01), ("runs from", "a fraction, or relative to field capacity?")),
    ("field capacity", scaled([7], 3), ("runs from", "expected percent of volume")),
    ("negative", field(7, b"-3.0"), ("runs from -3", "expected percent of volume")),
    ("unknown quality", field(8, b"7"), ("quality 7 of station", "expected 0, 1 or 2")),
    ("no quality", field(8, b""), ("unreadable", "expected a CSV")),
    ("negative depth", field(5, b"-10"), ("from -0.1 to", "0 to 10 m")),
    ("upside down", field(5, b"40"), ("from 0.4 to", "the upper one first")),
    ("no depth", field(5, b""), ("from nan to", "correct the file")),
    ("depths in m", scaled([5, 6], 0.01), ("depth_to_cm", "expected 2 cm or more")),
    ("depths in mm", scaled([5, 6], 100), ("from 10 to 20 m", "expected 0 to 10 m")),
    (
        "lat and lon exchanged",
        columns(lambda f: [f[0], f[2], f[1], *f[3:]]),
        ("latitude 95.25", "3 to 54"),
    ),
    (
        "outside China",
        columns(lambda f: [f[0], b"10.25", *f[2:]]),
        ("longitude 10.25", "73 to 136"),
    ),
    ("no place", field(1, b""), ("longitude nan of station", "in record 5")),
    ("two places", field(1, b"97.5"), ("expected one place a station",)),
]
TABLES = {"ismn": ANY_ISMN + HEADER, "ceop": ANY_ISMN + CEOP, "cma": CMA}
