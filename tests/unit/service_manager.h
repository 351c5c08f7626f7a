#pragma once

/*
 * A service manager for tests: the socket behind NOTIFY_SOCKET, with a thread
 * that takes what comes and answers barriers, and a process that it has handed
 * descriptors to. Every failure ends the test.
 */
struct manager;

/* cmocka's set-up and tear-down: *STATE is a struct manager. */
int manager_start(void **state);
int manager_stop(void **state);

/* The next message, barriers apart; it must be TEXT and, where a descriptor is
 * expected, come with one, which is the caller's. */
void manager_expect(struct manager *manager, const char *text);
int manager_expect_fd(struct manager *manager, const char *text);
void manager_expect_nothing(struct manager *manager);

/* The next message must store or remove: its name goes to NAME_OUT. Returns the
 * descriptor, -1 for a removal. */
int manager_next_change(struct manager *manager, char name_out[256]);

/* What BODY returns in a process of its own (0-255): what systemd hands over
 * is read just once. */
int manager_in_child(int (*body)(void));

/* In such a process: as if it had been started with FD under NAME, and with
 * nothing else. Takes FD. */
void manager_inherit(const char *name, int fd);
