"""The unit files as systemd judges them."""

import difflib

import pytest

from installed import EXAMPLE_SOCKET, MANUALS, UNITS
from unit import run

SERVICES = ["sallyport.service", "sallyport@.service"]

# In tenths, so 1.4. Whoever adds an exposure is to notice.
THRESHOLD = "14"


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_verifies(name):
    # There is no man here to show the manual pages with.
    done = run("systemd-analyze", "verify", "--man=no", str(UNITS / name))
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_the_example_of_a_socket_verifies():
    done = run("systemd-analyze", "verify", "--man=no", str(EXAMPLE_SOCKET))
    assert (done.returncode, done.stdout.decode()) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_is_little_exposed(name):
    done = run("systemd-analyze", "security", "--no-pager", "--offline=yes",
               f"--threshold={THRESHOLD}", str(UNITS / name))
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("page", ["man8/sallyport.8",
                                  "man5/sallyport.ini.5"])
def test_the_manual_that_the_units_name_is_there(page):
    assert (MANUALS / page).is_file()


def test_the_services_differ_in_names_only():
    one, many = ((UNITS / name).read_text() for name in SERVICES)
    different = [line[1:] for line in difflib.ndiff(one.splitlines(),
                                                    many.splitlines())
                 if line[0] in "-+"]
    assert different
    for line in different:
        assert "%i" in line or "sallyport" in line, line
    assert many.replace("sallyport-%i", "sallyport").replace(
        "/%i.ini", "/sallyport.ini").replace("sallyport@NAME",
                                             "sallyport") == one
