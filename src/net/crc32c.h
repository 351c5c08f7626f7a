#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * CRC32c (Castagnoli; RFC 9260, appendix A) over LEN more bytes, after those
 * whose sum is CRC; 0 to begin with. For headers, not for bulk.
 */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
