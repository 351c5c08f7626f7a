#include "config.h"

#include "packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway.h"
#include "worker/build.h"

struct packed
packed_new(struct gateway *g)
{
	struct packed packed;

	settings_read_files(g->it->settings, g->it->files);
	packed.public_fd =
		file_source_to_bundle(g->it->files, FILE_PUBLIC, NULL);
	packed.secret_fd =
		file_source_to_bundle(g->it->files, FILE_SECRET, NULL);
	assert_true(packed.public_fd >= 0 && packed.secret_fd >= 0);
	packed.path = strdup(g->it->settings->path);
	assert_non_null(packed.path);
	return packed;
}

void
packed_done(struct packed *packed)
{
	assert_int_equal(close(packed->public_fd), 0);
	if (packed->secret_fd >= 0)
		assert_int_equal(close(packed->secret_fd), 0);
	free(packed->path);
}

struct generation *
packed_build(const struct packed *packed, struct generation *generation,
	struct gateway *g)
{
	const struct build_parts parts = {packed->path, dup(packed->public_fd),
		dup(packed->secret_fd), NULL};
	struct build *build = build_new(generation, g->proxy, &parts);
	struct generation *built;

	while (build_step(build))
		continue;
	report_merge(g->it->report, build_report(build));
	built = build_take(build);
	build_free(&build);
	return built;
}
