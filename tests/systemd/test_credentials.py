"""Private keys of root, for a service that is not root."""

import os

from unit import run


def test_a_key_that_only_root_can_read_comes_as_a_credential(service, pki,
                                                             is_served):
    assert os.stat(pki.server.key).st_mode & 0o777 == 0o600
    unit = service()
    assert is_served()
    # The file itself is out of the service's reach.
    uid = unit.show("UID")
    assert run("setpriv", f"--reuid={uid}", f"--regid={uid}",
               "--clear-groups", "cat", str(pki.server.key)).returncode != 0


def test_without_its_credential_the_service_says_what_is_missing(
        unit, configure):
    configure()
    one = unit()
    one.drop_in("[Service]\nRestart=no\n")
    assert run("systemctl", "start", one.name).returncode != 0
    assert one.wait_journal("server.key")


def test_a_service_sees_no_credentials_but_its_own(service):
    unit = service()
    listing = unit.inside("ls", "/run/credentials").stdout.decode().split()
    assert listing == ["sallyport.service"]


def test_a_key_may_belong_to_a_group_of_the_service(service, pki, group_key,
                                                    is_served):
    service(drop_in=f"SupplementaryGroups={group_key.group}\n",
            keyfile=group_key(pki.server))
    assert is_served()
