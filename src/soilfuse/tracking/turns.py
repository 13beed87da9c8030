"""Promotions of one name take turns; who comes second is told, and changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soilfuse.errors import UserError
from soilfuse.tracking import store
from soilfuse.tracking.aliases import (
    CHAMPION,
    LOST,
    PROMOTED,
    PROMOTED_AT,
    VERDICT,
    aliases_of,
    tags_of,
    weights_of,
)
from soilfuse.tracking.packing import WEIGHTS

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


@dataclass(frozen=True)
class Turn:
    """One promotion, and what it found: the champion's version and the newest version, or 0."""

    client: "MlflowClient"
    name: str
    champion: int
    newest: int

    def require(self, weights: str, version: int | None = None) -> None:
        """Raise UserError where another promotion came in between.

        weights: what is to become champion; a promotion of the same is no rival. version: the
        number that they were registered under. Without a lock, as on a server, the lowest number
        among versions registered for promotion since this turn began wins.
        """
        now = aliases_of(self.client, self.name).get(CHAMPION, 0)
        if now not in (0, self.champion) and weights_of(self.client, self.name, now) != weights:
            self._lose(now, version)
        for rival, tags in tags_of(self.client, self.name).items():
            earlier = version is not None and self.newest < rival < version
            if earlier and tags.get(VERDICT) == PROMOTED and tags.get(WEIGHTS) != weights:
                self._lose(rival, version)

    def _lose(self, to: int, version: int | None) -> None:
        if version is not None and not self._was_champion(version):
            self.client.set_model_version_tag(self.name, str(version), VERDICT, LOST)
        before = f"version {self.champion}" if self.champion else "none"
        raise UserError(
            f"another promotion made version {to} champion of {self.name} meanwhile (before: "
            f"{before}); champion and alias are left to it: `soilfuse compare candidate {to}` "
            f"shows both, then `soilfuse rollback {to}` keeps that one, or `dvc repro promote` "
            "judges this candidate again"
        )

    def _was_champion(self, version: int) -> bool:
        return PROMOTED_AT in self.client.get_model_version(self.name, str(version)).tags


@contextmanager
def one_promotion(name: str) -> Iterator[Turn]:
    """Hold the promotions of one name apart, and remember who was champion when this one began.

    Processes that share a sqlite store wait for each other; those that share a server cannot, so
    `Turn.require` is asked again before anything moves. Raises UserError where the store refuses.
    """
    client = store.open_client()
    uri = store.tracking_uri()
    with store.store_errors(uri):
        champion = aliases_of(client, name).get(CHAMPION, 0)
        newest = max(tags_of(client, name), default=0)
        with store.locked(uri, f"promote-{name}"):
            yield Turn(client, name, champion, newest)
