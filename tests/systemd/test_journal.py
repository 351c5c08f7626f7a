"""Entries of the journal with fields of their own."""

from conftest import ADDRESS


def test_a_connection_leaves_an_entry_with_its_fields(service, connect):
    unit = service()
    client = connect()
    client.send(b"hello")
    assert client.recv_exactly(5) == b"hello"
    client.close_notify()
    client.recv_to_end()

    entry = unit.wait_journal("closed", SALLYPORT_LISTENER="gw")
    assert entry["SALLYPORT_PEER"] == client.peer
    assert entry["SALLYPORT_SUBJECT"] == "O=Corp,CN=good"
    assert entry["SALLYPORT_SERVER_NAME"] == "localhost"
    assert entry["SALLYPORT_UP"] == entry["SALLYPORT_DOWN"] == "5"
    assert entry["SALLYPORT_REASON"] == "done"
    assert entry["PRIORITY"] == "6"
    assert entry["SYSLOG_IDENTIFIER"] == "sallyport"
    assert entry["_SYSTEMD_UNIT"] == unit.name
    assert int(entry["_PID"]) in unit.children("worker")


def test_the_supervisor_says_where_it_listens(service):
    unit = service()
    entry = unit.wait_journal("listening", SALLYPORT_LISTENER="gw")
    assert entry["SALLYPORT_ADDRESS"] == f"{ADDRESS[0]}:{ADDRESS[1]}"
    assert entry["_PID"] == str(unit.main_pid)
    assert entry["PRIORITY"] == "5"
    ready = unit.wait_journal("ready", SALLYPORT_GENERATION="1")
    assert ready["SALLYPORT_WORKERS"] == "2"
