#include "config.h"

#include "worker/resolved.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/message.h"

/* As the supervisor says it, and as it arrives. */
static void
begin(struct message *m, uint32_t n)
{
	message_init(m, MESSAGE_RESOLVED);
	message_put_text(m, "backend.example");
	message_put_u16(m, 8443);
	message_put_u32(m, n);
}

static void
put_address(struct message *m, uint32_t address)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_port = htons(8443),
		.sin_addr.s_addr = htonl(address)};

	message_put_bytes(m, &sin, sizeof sin);
}

static void
every_address_is_read(void **state)
{
	struct message m;
	struct resolved resolved;
	const struct sockaddr_in *sin;

	(void)state;
	begin(&m, 2);
	put_address(&m, INADDR_LOOPBACK);
	put_address(&m, INADDR_LOOPBACK + 1);
	assert_true(resolved_read(&m, &resolved));
	assert_string_equal(resolved.host, "backend.example");
	assert_int_equal(resolved.port, 8443);
	assert_int_equal(resolved.n, 2);
	sin = (const struct sockaddr_in *)&resolved.addresses[1].sa;
	assert_int_equal(ntohl(sin->sin_addr.s_addr), INADDR_LOOPBACK + 1);
}

static void
a_name_may_have_no_address(void **state)
{
	struct message m;
	struct resolved resolved;

	(void)state;
	begin(&m, 0);
	assert_true(resolved_read(&m, &resolved));
	assert_int_equal(resolved.n, 0);
}

static void
more_addresses_than_there_is_room_for_are_refused(void **state)
{
	struct message m;
	struct resolved resolved;

	(void)state;
	begin(&m, BACKEND_ADDRESSES_MAX + 1);
	assert_false(resolved_read(&m, &resolved));
}

static void
a_message_that_ends_early_is_refused(void **state)
{
	struct message m;
	struct resolved resolved;

	(void)state;
	begin(&m, 2);
	put_address(&m, INADDR_LOOPBACK);
	assert_false(resolved_read(&m, &resolved));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_read),
		cmocka_unit_test(a_name_may_have_no_address),
		cmocka_unit_test(
			more_addresses_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_message_that_ends_early_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
