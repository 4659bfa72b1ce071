/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of RFC 3720 appendix B.4, and the check value of the CRC catalogue. */
#include <criterion/criterion.h>

#include "base/crc32c.h"

Test(crc32c, known_vectors)
{
	uint8_t bytes[32] = { 0 };

	cr_expect_eq(crc32c(0, "", 0), 0);
	cr_expect_eq(crc32c(0, "123456789", 9), 0xe3069283);
	cr_expect_eq(crc32c(0, bytes, 32), 0x8a9136aa);
	for (int i = 0; i < 32; i++)
		bytes[i] = 0xff;
	cr_expect_eq(crc32c(0, bytes, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	cr_expect_eq(crc32c(0, bytes, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	cr_expect_eq(crc32c(0, bytes, 32), 0x113fdb5c);
}

Test(crc32c, pieces_give_the_same_as_the_whole)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";
	uint32_t whole = crc32c(0, text, sizeof(text));

	for (size_t cut = 0; cut <= sizeof(text); cut++)
		cr_expect_eq(crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut), whole);
}
