#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target is one file with this function (libFuzzer calls it with bytes
 * that it makes up; see fuzz.am for how it is built and run). It aborts, or a
 * sanitizer does, when something is wrong: assert() is how it says so.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
