// Bytes and times as parts of a JSON text: the log's, and the health record's.
#pragma once

#include <stddef.h>
#include <time.h>

#include "text.h"

/** Each byte may take so many. */
constexpr size_t kJsonByteMax = 6;

/** What belongs between the quotation marks; a byte that is no UTF-8 becomes U+FFFD, as with Go's encoder. */
void add_json_text(TextView* out, const char* text, size_t size);
/** 2026-01-02T15:04:05.000000006Z */
void add_json_time(TextView* out, const timespec& time);
timespec wall_clock();
