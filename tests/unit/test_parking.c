#include "config.h"

#include "worker/parking.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockets.h"

static int
spare(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
what_nobody_fetched_is_closed(void **state)
{
	struct parking parking = {0};
	char name[] = "gw";
	int left = spare(), fetched = spare();

	(void)state;
	parking_add(&parking, name, left);
	name[0] = '\0'; /* it was copied */
	parking_add(&parking, "other", fetched);
	assert_int_equal(parking.n, 2);
	assert_string_equal(parking.items[0].name, "gw");
	assert_int_equal(parking.items[1].fd, fetched);
	parking.items[1].fd = -1;
	parking_done(&parking);
	assert_false(is_open(left));
	assert_true(is_open(fetched));
	assert_int_equal(parking.n, 0);
	parking_done(&parking);
	assert_int_equal(close(fetched), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_fetched_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
