"""Which months train, stop and score each of the five folds; none may leak into another.

`blocked` (the default) keeps whole years together with 12 months of gap everywhere. `shuffled` is
the published protocol, for comparison: 96 % of its validation months have a neighbour in training,
and it stops on the fold that it reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soilfuse.errors import UserError, unknown
from soilfuse.grids.months import month_axis
from soilfuse.names import GAP_MONTHS, TRAINING_YEARS
from soilfuse.seeding import generator

FOLDS = 5
FINAL_TEST_YEARS = (2016, 2021)  # 2015 is the gap before it
BLOCKED, SHUFFLED = "blocked", "shuffled"
PROTOCOLS = (BLOCKED, SHUFFLED)

Spans = tuple[tuple[int, int], ...]
# outer years, inner years, training years
BLOCKS: tuple[tuple[tuple[int, int], tuple[int, int], Spans], ...] = (
    ((2000, 2002), (2013, 2014), ((2004, 2011),)),
    ((2003, 2005), (2000, 2001), ((2007, 2014),)),
    ((2006, 2008), (2013, 2014), ((2000, 2004), (2010, 2011))),
    ((2009, 2011), (2013, 2014), ((2000, 2007),)),
    ((2012, 2014), (2000, 2001), ((2003, 2010),)),
)


@dataclass(frozen=True)
class Fold:
    """Months (T,) datetime64[ns]: `train` fits, `inner` stops and selects, `outer` scores."""

    index: int
    train: np.ndarray
    inner: np.ndarray
    outer: np.ndarray


def folds(protocol: str, seed: int) -> tuple[Fold, ...]:
    """Return the five folds of a protocol over 2000-2014; every month is in one outer block.

    Raises UserError for an unknown protocol.
    """
    if protocol not in PROTOCOLS:
        where = "params.yaml:finetune.protocol"
        raise UserError(unknown("protocol", protocol, PROTOCOLS, where))
    if protocol == SHUFFLED:
        return _shuffled(seed)
    made = tuple(
        Fold(index, _months(train), month_axis(*inner), month_axis(*outer))
        for index, (outer, inner, train) in enumerate(BLOCKS)
    )
    for fold in made:
        refuse_leaks(fold)
    return made


def fold_of(protocol: str, index: int, seed: int, available: np.ndarray, what: str) -> Fold:
    """Return one fold, all of whose months must be among the (T,) available ones of `what`.

    Raises UserError where the fold does not exist, or its months are too few.
    """
    if index not in range(FOLDS):
        raise UserError(unknown("fold", index, range(FOLDS), "the command's fold"))
    fold = folds(protocol, seed)[index]
    wanted = np.concatenate([fold.train, fold.inner, fold.outer])
    missing = np.setdiff1d(wanted, np.asarray(available).astype(wanted.dtype))
    if missing.size:
        raise UserError(
            f"too few months in {what} for fold {index} of protocol {protocol}: "
            f"{missing.size} missing, the first {missing[0].astype('datetime64[M]')}; expected "
            f"{TRAINING_YEARS[0]}-{TRAINING_YEARS[1]}: edit params.yaml:amsmqtp.first_year, "
            "last_year, or add the files"
        )
    return fold


def final_test() -> np.ndarray:
    """Return the (T,) months of the final test, which no fold and no choice may see."""
    return month_axis(*FINAL_TEST_YEARS)


def refuse_leaks(fold: Fold) -> None:
    """Raise UserError where two parts of a fold, or the final test, are not 12 months apart."""
    parts = {
        "train": fold.train,
        "inner": fold.inner,
        "outer": fold.outer,
        "final test": final_test(),
    }
    named = list(parts.items())
    for place, (one, months) in enumerate(named):
        for other, others in named[place + 1 :]:
            gap = gap_between(months, others)
            if gap < GAP_MONTHS:
                raise UserError(
                    f"fold {fold.index} leaks: {gap} months between {one} and {other}; allowed at "
                    f"least {GAP_MONTHS}: mend the table of blocks"
                )


def gap_between(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many months lie between the nearest of two sets of months; -1 if they overlap."""
    first, second = (np.asarray(m).astype("datetime64[M]").astype(int) for m in (one, other))
    return int(np.abs(first[:, None] - second[None, :]).min()) - 1


def _shuffled(seed: int) -> tuple[Fold, ...]:
    months = month_axis(*TRAINING_YEARS)
    order = generator(seed, "folds", SHUFFLED).permutation(months.size)
    parts = [np.sort(months[part]) for part in np.array_split(order, FOLDS)]
    return tuple(
        Fold(index, np.setdiff1d(months, part), part, part) for index, part in enumerate(parts)
    )


def _months(spans: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.concatenate([month_axis(*span) for span in spans])
