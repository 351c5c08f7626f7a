/* A table in shared memory, for whoever comes back without a ticket. */
#include "config.h"

#include "tls/tls_session_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

#define ID_SIZE TLS_SESSION_CACHE_ID_SIZE
#define N_WAYS  TLS_SESSION_CACHE_N_WAYS
#define N_SETS  (TLS_SESSION_CACHE_N_SLOTS / N_WAYS)

/* What is known of an entry without looking at it. */
struct mark {
	_Atomic uint64_t lock;
	_Atomic uint64_t version; /* one more for each time it was locked */
	uint64_t tag;             /* a part of the id */
	uint64_t stored_ms;
	int64_t until_s;
	_Atomic uint64_t len; /* of the entry; 0: there is none */
};

struct tls_session_cache {
	struct mark marks[TLS_SESSION_CACHE_N_SLOTS];
	unsigned char entries[TLS_SESSION_CACHE_N_SLOTS][TLS_SESSION_CACHE_MAX];
};

_Static_assert(sizeof(struct mark) == TLS_SESSION_CACHE_MARK_SIZE,
	"a mark must be of the size that is told");
_Static_assert(
	offsetof(struct tls_session_cache, entries) ==
			TLS_SESSION_CACHE_MARKS_SIZE &&
		TLS_SESSION_CACHE_MARKS_SIZE % TLS_SESSION_CACHE_MAX == 0,
	"an entry must not share a page with another, or with marks");

/* An atomic with a lock inside could not be shared between processes. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	"64-bit atomics must be lock-free");

/* Memory of a fixed size: a mapping of it can never fault. */
#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static struct tls_session_cache *shared;

int
tls_session_cache_create_fd(struct error *err)
{
	int fd = memfd_create(
		"sallyport-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(struct tls_session_cache)) < 0 ||
		fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) < 0) {
		(void)error_set_errno(
			err, errno, "cannot create the session memory");
		fd_close(&fd);
		return -1;
	}
	return fd;
}

struct tls_session_cache *
tls_session_cache_map(int fd, struct error *err)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *memory;

	if (seals < 0 || fstat(fd, &st) < 0) {
		(void)error_set_errno(
			err, errno, "cannot map the session memory");
		return NULL;
	}
	if ((seals & SIZE_SEALS) != SIZE_SEALS ||
		st.st_size != sizeof(struct tls_session_cache)) {
		(void)error_set(
			err, "cannot map the session memory: wrong size");
		return NULL;
	}
	memory = mmap(NULL, sizeof(struct tls_session_cache),
		PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		(void)error_set_errno(
			err, errno, "cannot map the session memory");
		return NULL;
	}
	return memory;
}

void
tls_session_cache_unmap(struct tls_session_cache **cache)
{
	if (*cache == NULL)
		return;
	(void)munmap(*cache, sizeof **cache);
	*cache = NULL;
}

/* ---- one slot ---- */

/* A holder that was killed never gives it back; nor does one whose clock was
 * not ours. */
static bool
is_abandoned(uint64_t since_ms, uint64_t now_ms)
{
	uint64_t apart =
		now_ms > since_ms ? now_ms - since_ms : since_ms - now_ms;

	return apart >= TLS_SESSION_CACHE_LOCK_MS;
}

/* Never waits. *MINE_OUT is for unlock(). */
static bool
try_lock(struct mark *mark, uint64_t *mine_out)
{
	uint64_t now_ms = clock_monotonic_ms() + 1; /* never 0 */
	uint64_t held = atomic_load(&mark->lock);

	if (held != 0 && !is_abandoned(held, now_ms))
		return false;
	if (!atomic_compare_exchange_strong(&mark->lock, &held, now_ms))
		return false;
	(void)atomic_fetch_add(&mark->version, 1);
	/* No byte of what follows is seen before the new version. */
	atomic_thread_fence(memory_order_release);
	*mine_out = now_ms;
	return true;
}

/* A lock that was taken from us meanwhile is not ours to give back. */
static void
unlock(struct mark *mark, uint64_t mine)
{
	(void)atomic_compare_exchange_strong(&mark->lock, &mine, 0);
}

/* What says of an id which it is: the bytes that do not choose its set. */
static uint64_t
tag_of(const unsigned char *id)
{
	uint64_t tag;

	memcpy(&tag, id + ID_SIZE - sizeof tag, sizeof tag);
	return tag;
}

/* Only looks, and so is a guess until the slot is locked or copied. */
static bool
is_of(const struct mark *mark, const unsigned char *id)
{
	return mark->len != 0 && mark->tag == tag_of(id);
}

/*
 * Copies to OUT the entry of ID that nobody was writing. Its length, or 0. (Two
 * writers, one of which was stopped for a second while it held the lock, can
 * still mix an entry: the seal tells.)
 */
static size_t
snapshot(const struct tls_session_cache *cache, size_t slot,
	const unsigned char *id, int64_t unix_s, unsigned char *out)
{
	const struct mark *mark = &cache->marks[slot];
	uint64_t version = atomic_load(&mark->version);
	uint64_t len;

	if (atomic_load(&mark->lock) != 0)
		return 0;
	/* Once: nothing another process writes is the same when read again. */
	len = atomic_load(&mark->len);
	if (len > TLS_SESSION_CACHE_MAX || !is_of(mark, id) ||
		mark->until_s <= unix_s)
		return 0;
	memcpy(out, cache->entries[slot], len);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load(&mark->lock) != 0 ||
		atomic_load(&mark->version) != version)
		return 0;
	return len;
}

/* ---- the table ---- */

/* The first slot that ID may be in. Ids are random. */
static size_t
set_of(const unsigned char *id)
{
	return ((size_t)id[0] | (size_t)id[1] << 8) % N_SETS * N_WAYS;
}

/* A guess, too: the worst that can come of a wrong one is that the wrong entry
 * goes. */
static size_t
choose(const struct mark *marks, const unsigned char *id, int64_t unix_s)
{
	size_t set = set_of(id);
	size_t oldest = set;

	for (size_t i = set; i < set + N_WAYS; i++)
		if (is_of(&marks[i], id))
			return i;
	for (size_t i = set; i < set + N_WAYS; i++) {
		if (marks[i].len == 0 || marks[i].until_s <= unix_s)
			return i;
		if (marks[i].stored_ms < marks[oldest].stored_ms)
			oldest = i;
	}
	return oldest;
}

bool
tls_session_cache_put(struct tls_session_cache *cache,
	const unsigned char id[ID_SIZE], const void *bytes, size_t len,
	int64_t until_s)
{
	int64_t unix_s = (int64_t)(clock_realtime_us() / 1000000);
	size_t slot = choose(cache->marks, id, unix_s);
	struct mark *mark = &cache->marks[slot];
	uint64_t mine;

	if (len == 0 || len > TLS_SESSION_CACHE_MAX || !try_lock(mark, &mine))
		return false;
	mark->tag = tag_of(id);
	mark->stored_ms = clock_monotonic_ms();
	mark->until_s = until_s;
	mark->len = len;
	memcpy(cache->entries[slot], bytes, len);
	unlock(mark, mine);
	return true;
}

size_t
tls_session_cache_get(struct tls_session_cache *cache,
	const unsigned char id[ID_SIZE], int64_t unix_s,
	unsigned char out[TLS_SESSION_CACHE_MAX])
{
	size_t set = set_of(id);
	size_t len = 0;

	for (size_t i = set; len == 0 && i < set + N_WAYS; i++)
		len = snapshot(cache, i, id, unix_s, out);
	return len;
}

void
tls_session_cache_remove(
	struct tls_session_cache *cache, const unsigned char id[ID_SIZE])
{
	size_t set = set_of(id);
	uint64_t mine;

	for (size_t i = set; i < set + N_WAYS; i++) {
		struct mark *mark = &cache->marks[i];

		if (!is_of(mark, id) || !try_lock(mark, &mine))
			continue;
		if (is_of(mark, id))
			mark->len = 0;
		unlock(mark, mine);
	}
}

/* ---- of this process ---- */

void
tls_session_cache_share(struct tls_session_cache *cache)
{
	shared = cache;
}

struct tls_session_cache *
tls_session_cache_shared(void)
{
	return shared;
}
