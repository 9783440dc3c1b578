/* SPDX-License-Identifier: GPL-2.0 */
/* Places where a host kernel keeps what belongs to others. */
#ifndef BULKHEAD_PLACES_H
#define BULKHEAD_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_LEN	32

/*
 * A kind of place. @plant puts the secret into as many pages of that kind as is
 * worth while and leaves no other copy in this process, which knows it by its
 * @complement only; false if the machine cannot. What is planted stays while
 * the process lives. No byte of a secret is 0 or 0xff.
 */
struct place {
	const char *kind;
	bool (*plant)(const uint8_t *complement);
};

extern const struct place places[];
extern const size_t nr_places;

#endif
