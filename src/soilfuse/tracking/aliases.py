"""Names of registered versions: the aliases champion, previous and challenger, and who sets them.

challenger: registered to be compared, not promoted; champion: what inference uses; previous: the
version that was champion before, to which `soilfuse rollback` goes.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from soilfuse.errors import UserError
from soilfuse.tracking import store
from soilfuse.tracking.packing import WEIGHTS

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"
CHALLENGER = "challenger"
VERDICT = "verdict"  # a tag of a version; one of the following
PROMOTED, CHALLENGING, PINNED, LOST = "promoted", "challenger", "pinned", "lost"
PROMOTED_AT = "promoted_at"
PIN_PLACE = "edit params.yaml:promote.pin"


def aliases_of(client: "MlflowClient", name: str) -> dict[str, int]:
    """Return {alias: version} of a registered model, {} where there is none of that name.

    An alias of a version that is no more, as a restored database may have, counts as none.
    """
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
        versions = tags_of(client, name) if aliases else {}
        return {alias: int(v) for alias, v in aliases.items() if int(v) in versions}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def tags_of(client: "MlflowClient", name: str) -> dict[int, dict[str, str]]:
    """Return {version: tags} of every version of a model, oldest first."""
    found = client.search_model_versions(f"name='{name}'")
    return {int(v.version): dict(v.tags) for v in sorted(found, key=lambda v: int(v.version))}


def weights_of(client: "MlflowClient", name: str, version: int) -> str:
    """Return the hash over the weights of a version."""
    return str(client.get_model_version(name, str(version)).tags.get(WEIGHTS, "unknown"))


def version_with(client: "MlflowClient", name: str, weights: str) -> int | None:
    """Return the newest version of these weights, None where they are not registered."""
    found = client.search_model_versions(f"name='{name}' and tags.{WEIGHTS} = '{weights}'")
    return max((int(each.version) for each in found), default=None)


def promoted_after(client: "MlflowClient", name: str, version: int, own: int | None) -> bool:
    """Tell whether a version became champion later than `own`, by a promotion and not by hand.

    own: None where it is not registered, which anything came after. A promotion of `own` that was
    cut short before the alias moved has no time yet: then the higher number is the later.
    """
    if own is None:
        return True
    theirs, ours = (_promoted_at(client, name, each) for each in (version, own))
    if ours is None:
        return version > own and theirs is not None
    return theirs is not None and theirs > ours


def _promoted_at(client: "MlflowClient", name: str, version: int) -> datetime | None:
    told = client.get_model_version(name, str(version)).tags.get(PROMOTED_AT)
    return datetime.fromisoformat(told) if told else None


def resolve(name: str, wanted: str, mend: str = "name one of these, by number or alias") -> int:
    """Return the number of a version that is named by number or alias.

    mend: what to do, for the line. Raises UserError listing what is registered, by both names.
    """
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        aliases, versions = aliases_of(client, name), tags_of(client, name)
    version = int(wanted) if wanted.isdecimal() else aliases.get(wanted)
    if version in versions:
        return version
    called: dict[int, list[str]] = {number: [] for number in versions}
    for alias, number in sorted(aliases.items()):
        called[number].append(alias)
    known = [f"{n} ({', '.join(names)})" if names else str(n) for n, names in called.items()]
    what = "version" if wanted.isdecimal() else "alias"
    raise UserError(
        f"no {what} {wanted} of {name}; registered: {', '.join(known) or 'none yet'}: {mend}"
    )


def point(client: "MlflowClient", name: str, version: int) -> None:
    """Make a version champion, the one before it previous; a champion is no challenger."""
    aliases = aliases_of(client, name)
    before = aliases.get(CHAMPION)
    if before == version:
        return
    if before is not None:
        client.set_registered_model_alias(name, PREVIOUS, str(before))
    client.set_registered_model_alias(name, CHAMPION, str(version))
    if aliases.get(CHALLENGER) == version:
        client.delete_registered_model_alias(name, CHALLENGER)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    client.set_model_version_tag(name, str(version), PROMOTED_AT, now)
