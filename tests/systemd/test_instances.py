"""sallyport@NAME.service: several side by side."""

import os

import pytest

from conftest import credential
from harness import processes

NAMES = {"sallyport.service": "sallyport", "sallyport@a.service": "a",
         "sallyport@b.service": "b"}


@pytest.fixture
def instances(unit, configure, pki):
    """{name: (Unit, address)} of the one and two of several, all started."""
    started = {}
    for nth, (name, file) in enumerate(NAMES.items()):
        configure(file, listen=f"127.0.0.1:{440 + nth}")
        one = unit(name)
        one.drop_in(credential(pki.server))
        one.start()
        started[name] = one, ("127.0.0.1", 440 + nth)
    return started


def test_instances_have_a_configuration_each(instances, is_served):
    for unit, address in instances.values():
        assert is_served(address)
        assert unit.show("ActiveState") == "active"


def test_instances_are_users_each(instances):
    users = {processes.status(unit.main_pid)["Uid"]
             for unit, _ in instances.values()}
    assert len(users) == len(instances)


def test_instances_have_directories_each(instances):
    for name, file in NAMES.items():
        path = "/run/sallyport" + ("" if file == "sallyport"
                                   else f"-{file}")
        assert os.stat(path).st_uid == int(instances[name][0].show("UID"))


def test_an_instance_stops_and_starts_alone(instances, is_served):
    """Also the one whose name the others' names begin with."""
    for name, (unit, _) in instances.items():
        others = [one for other, one in instances.items() if other != name]
        before = [other.main_pid for other, _ in others]
        unit.stop()
        for other, address in others:
            assert is_served(address)
            assert os.path.isdir("/run/" + other.show("RuntimeDirectory"))
        unit.start()
        assert [other.main_pid for other, _ in others] == before
