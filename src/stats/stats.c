#include "config.h"

#include "stats/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

struct stats {
	_Atomic uint64_t counters[STATS_N_COUNTERS];
	_Atomic uint64_t gauges[STATS_N_GAUGES];
};

/* An atomic with a lock inside could not be shared between processes. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	"64-bit atomics must be lock-free");

/* Memory of a fixed size: a mapping of it can never fault. */
#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

int
stats_create_fd(struct error *err)
{
	int fd = memfd_create(
		"sallyport-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(struct stats)) < 0 ||
		fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) < 0) {
		error_set_errno(err, errno, "cannot create the stats memory");
		fd_close(&fd);
		return -1;
	}
	return fd;
}

struct stats *
stats_map(int fd, struct error *err)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *memory;

	if (seals < 0 || fstat(fd, &st) < 0) {
		error_set_errno(err, errno, "cannot map the stats memory");
		return NULL;
	}
	if ((seals & SIZE_SEALS) != SIZE_SEALS ||
		st.st_size != sizeof(struct stats)) {
		error_set(err, "cannot map the stats memory: wrong size");
		return NULL;
	}
	memory = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		error_set_errno(err, errno, "cannot map the stats memory");
		return NULL;
	}
	return memory;
}

void
stats_unmap(struct stats **stats)
{
	if (*stats == NULL)
		return;
	(void)munmap(*stats, sizeof **stats);
	*stats = NULL;
}

void
stats_count(struct stats *stats, enum stats_counter which, uint64_t n)
{
	/* One writer: load and store save the locked add of a fetch_add. */
	uint64_t now = atomic_load_explicit(
		&stats->counters[which], memory_order_relaxed);

	atomic_store_explicit(
		&stats->counters[which], now + n, memory_order_relaxed);
}

void
stats_set(struct stats *stats, enum stats_gauge which, uint64_t n)
{
	atomic_store_explicit(&stats->gauges[which], n, memory_order_relaxed);
}

uint64_t
stats_get(const struct stats *stats, enum stats_counter which)
{
	return atomic_load_explicit(
		&stats->counters[which], memory_order_relaxed);
}

uint64_t
stats_get_gauge(const struct stats *stats, enum stats_gauge which)
{
	return atomic_load_explicit(
		&stats->gauges[which], memory_order_relaxed);
}
