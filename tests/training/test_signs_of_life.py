"""Which processes other machines take for living ones, by what a trial says of its own."""

import socket
import time

import pytest
from optuna.trial import TrialState

from soilfuse import processes
from soilfuse.training import signs_of_life
from soilfuse.training.study import fail_dead, open_study, propose


class KilledError(Exception):
    """Ends a process where a kill would."""


@pytest.mark.parametrize("written", [0, 1])
def test_a_kill_while_a_trial_is_named_leaves_none_that_lives_for_ever(
    written, params, tmp_path, monkeypatch
):
    study = open_study(tmp_path / "a.journal")
    ask = study.ask

    def asked():
        trial = ask()
        tell, count = trial.set_user_attr, [0]

        def set_user_attr(*given):
            if count[0] == written:
                raise KilledError
            count[0] += 1
            tell(*given)

        trial.set_user_attr = set_user_attr
        return trial

    monkeypatch.setattr(study, "ask", asked)
    with pytest.raises(KilledError):
        propose(study, params)
    assert study.trials[0].state == TrialState.RUNNING
    later = time.time() + signs_of_life.DEAD + 1
    monkeypatch.setattr(signs_of_life, "machine", lambda: "elsewhere")
    monkeypatch.setattr(signs_of_life.time, "time", lambda: later)
    fail_dead(study)
    assert study.trials[0].state == TrialState.FAIL


def test_one_host_name_on_two_machines_is_told_apart(tmp_path, monkeypatch):
    names = []
    for identity in (b"secret one\n", b"secret two\n", b"", None):
        path = tmp_path / f"{len(names)}"
        if identity is not None:
            path.write_bytes(identity)
        monkeypatch.setattr(processes, "IDENTITY", path)
        names.append(signs_of_life.machine())
    host = socket.gethostname()
    assert names[2:] == [host, host]
    assert len({*names}) == 3
    assert all(name.startswith(host) and "secret" not in name for name in names)
    # the other machine has a process of that number, or none: its signs alone count
    for module in (processes, signs_of_life):
        monkeypatch.setattr(module, "machine", lambda: names[0])
    told = {signs_of_life.WORKER: processes.process_name()}
    assert signs_of_life.may_live(told)
    monkeypatch.setattr(signs_of_life, "machine", lambda: names[1])
    assert signs_of_life.may_live({**told, signs_of_life.BEAT: time.time()})
    assert not signs_of_life.may_live({**told, signs_of_life.BEAT: time.time() - 301})
