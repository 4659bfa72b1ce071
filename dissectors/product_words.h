/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of a product out of what a device says of itself: system descriptions of
 * SNMP, LLDP and CDP, server lines, vendor classes. These are lines of text, longer and
 * looser than GRAMMAR_PRODUCT, of which the beginning is the product and its version. */
#pragma once

#include <stddef.h>

enum { PRODUCT_WORDS_MOST = 32 };

/* The first words that GRAMMAR_PRODUCT holds, with one blank between them, as many as fit
 * and six at most; a comma or semicolon behind a word is left out. What stands in a word
 * behind a colon or a comma, a word with anything else outside the grammar, and the end
 * of a line end it. Where the text is that of `uname -a`, the host's name is left out;
 * where it is that of Windows, the hardware. Gives the length; 0 when nothing fits. No
 * NUL is added. */
size_t product_words(const void *text, size_t n, char out[PRODUCT_WORDS_MOST]);
