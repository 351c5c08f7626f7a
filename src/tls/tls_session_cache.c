/* A table in shared memory, for whoever comes back without a ticket. */
#include "config.h"

#include "tls/tls_session_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
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

struct entry {
	uint64_t stored_ms;
	int64_t until_s;
	uint64_t len; /* 0: empty */
	unsigned char id[ID_SIZE];
	unsigned char bytes[TLS_SESSION_CACHE_MAX];
};

struct slot {
	_Atomic uint64_t lock;
	_Atomic uint64_t version; /* one more for each time it was locked */
	struct entry entry;
};

struct tls_session_cache {
	struct slot slots[N_SETS][N_WAYS];
};

_Static_assert(sizeof(struct slot) == TLS_SESSION_CACHE_SLOT_SIZE,
	"a slot must be of the size that is told");

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
try_lock(struct slot *slot, uint64_t *mine_out)
{
	uint64_t now_ms = clock_monotonic_ms() + 1; /* never 0 */
	uint64_t held = atomic_load(&slot->lock);

	if (held != 0 && !is_abandoned(held, now_ms))
		return false;
	if (!atomic_compare_exchange_strong(&slot->lock, &held, now_ms))
		return false;
	(void)atomic_fetch_add(&slot->version, 1);
	/* No byte of what follows is seen before the new version. */
	atomic_thread_fence(memory_order_release);
	*mine_out = now_ms;
	return true;
}

/* A lock that was taken from us meanwhile is not ours to give back. */
static void
unlock(struct slot *slot, uint64_t mine)
{
	(void)atomic_compare_exchange_strong(&slot->lock, &mine, 0);
}

/*
 * A copy of what nobody was writing. (Two writers, one of which was stopped for
 * a second while it held the lock, can still mix an entry: the seal tells.)
 */
static bool
snapshot(struct slot *slot, struct entry *out)
{
	uint64_t version = atomic_load(&slot->version);

	if (atomic_load(&slot->lock) != 0)
		return false;
	memcpy(out, &slot->entry, sizeof *out);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&slot->lock) == 0 &&
	       atomic_load(&slot->version) == version;
}

/* ---- the table ---- */

/* Ids are random. */
static struct slot *
set_of(struct tls_session_cache *cache, const unsigned char *id)
{
	return cache->slots[((size_t)id[0] | (size_t)id[1] << 8) % N_SETS];
}

/* Only looks, and so is a guess until the slot is locked or copied. */
static bool
has_id(const struct slot *slot, const unsigned char *id)
{
	return slot->entry.len != 0 && memcmp(slot->entry.id, id, ID_SIZE) == 0;
}

/* A guess, too: the worst that can come of a wrong one is that the wrong entry
 * goes. */
static struct slot *
choose(struct slot *set, const unsigned char *id, int64_t unix_s)
{
	struct slot *oldest = &set[0];

	for (size_t i = 0; i < N_WAYS; i++)
		if (has_id(&set[i], id))
			return &set[i];
	for (size_t i = 0; i < N_WAYS; i++) {
		const struct entry *entry = &set[i].entry;

		if (entry->len == 0 || entry->until_s <= unix_s)
			return &set[i];
		if (entry->stored_ms < oldest->entry.stored_ms)
			oldest = &set[i];
	}
	return oldest;
}

bool
tls_session_cache_put(struct tls_session_cache *cache,
	const unsigned char id[ID_SIZE], const void *bytes, size_t len,
	int64_t until_s)
{
	struct slot *slot;
	uint64_t mine;
	int64_t unix_s = (int64_t)(clock_realtime_us() / 1000000);

	if (len == 0 || len > TLS_SESSION_CACHE_MAX)
		return false;
	slot = choose(set_of(cache, id), id, unix_s);
	if (!try_lock(slot, &mine))
		return false;
	slot->entry.stored_ms = clock_monotonic_ms();
	slot->entry.until_s = until_s;
	slot->entry.len = len;
	memcpy(slot->entry.id, id, ID_SIZE);
	memcpy(slot->entry.bytes, bytes, len);
	unlock(slot, mine);
	return true;
}

size_t
tls_session_cache_get(struct tls_session_cache *cache,
	const unsigned char id[ID_SIZE], int64_t unix_s,
	unsigned char out[TLS_SESSION_CACHE_MAX])
{
	struct slot *set = set_of(cache, id);
	struct entry copy;

	for (size_t i = 0; i < N_WAYS; i++) {
		if (!has_id(&set[i], id) || !snapshot(&set[i], &copy))
			continue;
		/* Only of the copy is it true for longer than a moment. */
		if (memcmp(copy.id, id, ID_SIZE) != 0 ||
			copy.len > sizeof copy.bytes || copy.until_s <= unix_s)
			continue;
		memcpy(out, copy.bytes, copy.len);
		return copy.len;
	}
	return 0;
}

void
tls_session_cache_remove(
	struct tls_session_cache *cache, const unsigned char id[ID_SIZE])
{
	struct slot *set = set_of(cache, id);
	uint64_t mine;

	for (size_t i = 0; i < N_WAYS; i++) {
		if (!has_id(&set[i], id) || !try_lock(&set[i], &mine))
			continue;
		if (has_id(&set[i], id))
			set[i].entry.len = 0;
		unlock(&set[i], mine);
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
