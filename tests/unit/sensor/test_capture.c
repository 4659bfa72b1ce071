/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "sensor/capture.h"

static struct buf file; /* the capture under construction */
static bool big;        /* its byte order */
static char path[] = "/tmp/test-capture-XXXXXX";
static char why[256];

static void begin(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void end(void)
{
	unlink(path);
	buf_finish(&file);
}

TestSuite(capture, .init = begin, .fini = end);

static void put32(uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_char(&file, (char)(v >> (big ? 24 - 8 * i : 8 * i)));
}

static void put16(uint16_t v)
{
	buf_char(&file, (char)(big ? v >> 8 : v));
	buf_char(&file, (char)(big ? v : v >> 8));
}

static void put_pcap_header(uint32_t magic, uint32_t link_type)
{
	put32(magic);
	put16(2);
	put16(4);
	put32(0);
	put32(0);
	put32(65535);
	put32(link_type);
}

static void put_pcap_frame(uint32_t seconds, uint32_t fraction, const char *text, uint32_t wire)
{
	put32(seconds);
	put32(fraction);
	put32((uint32_t)strlen(text));
	put32(wire);
	buf_text(&file, text);
}

static void pad(void)
{
	while (file.len % 4)
		buf_char(&file, 0);
}

/* Starts a block; end_block() writes both lengths. */
static size_t put_block(uint32_t type)
{
	size_t start = file.len;

	put32(type);
	put32(0);
	return start;
}

static void end_block(size_t start)
{
	pad();
	uint32_t length = (uint32_t)(file.len - start) + 4;
	put32(length);
	memcpy(file.data + start + 4, file.data + file.len - 4, 4);
}

static void put_section(void)
{
	size_t b = put_block(0x0a0d0d0a);

	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put32(UINT32_MAX);
	put32(UINT32_MAX);
	end_block(b);
}

static void put_interface(uint16_t link_type, uint32_t most, uint8_t resolution, uint32_t offset)
{
	size_t b = put_block(1);

	put16(link_type);
	put16(0);
	put32(most);
	put16(2); /* a name, to be passed over */
	put16(3);
	buf_text(&file, "eth");
	pad();
	put16(9);
	put16(1);
	buf_char(&file, (char)resolution);
	pad();
	put16(14);
	put16(8);
	put32(big ? 0 : offset);
	put32(big ? offset : 0);
	put32(0);
	end_block(b);
}

static void put_packet(uint32_t interface, uint64_t ticks, const char *text, uint32_t wire)
{
	size_t b = put_block(6);

	put32(interface);
	put32((uint32_t)(ticks >> 32));
	put32((uint32_t)ticks);
	put32((uint32_t)strlen(text));
	put32(wire);
	buf_text(&file, text);
	pad();
	put16(1); /* a comment */
	put16(2);
	buf_text(&file, "hi");
	pad();
	put32(0);
	end_block(b);
}

static void save(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert(f);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static struct capture *open_saved(void)
{
	save(file.data, file.len);
	struct capture *c = capture_open(path, why);
	cr_assert(c, "%s", why);
	return c;
}

static void expect_frame(struct capture *c, const char *text, int64_t time, uint16_t link_type,
			 uint32_t wire)
{
	struct frame f;

	cr_assert_eq(capture_next(c, &f), 1, "%s", capture_problem(c));
	cr_assert_eq(f.captured, strlen(text));
	cr_assert_arr_eq(f.bytes, text, f.captured);
	cr_assert_eq(f.time.v, time, "%lld", (long long)f.time.v);
	cr_assert_eq(f.link_type, link_type);
	cr_assert_eq(f.wire, wire);
}

static void expect_end(struct capture *c)
{
	struct frame f;

	cr_assert_eq(capture_next(c, &f), 0, "%s", capture_problem(c));
	cr_assert_eq(capture_next(c, &f), 0, "it stays the end");
	capture_close(c);
}

static void expect_damage(struct capture *c, const char *words)
{
	struct frame f;

	cr_assert_eq(capture_next(c, &f), -EIO);
	cr_assert_eq(capture_next(c, &f), -EIO, "it stays so");
	cr_assert(strstr(capture_problem(c), words), "%s", capture_problem(c));
	capture_close(c);
}

Test(capture, pcap_of_both_byte_orders_and_precisions)
{
	for (int i = 0; i < 4; i++) {
		buf_clear(&file);
		big = i & 1;
		put_pcap_header(i & 2 ? 0xa1b23c4d : 0xa1b2c3d4, 113);
		put_pcap_frame(5, i & 2 ? 123456789 : 123456, "hello", 100);
		put_pcap_frame(4, 0, "", 0);
		put_pcap_frame(6, 0, "wire below captured", 3);
		struct capture *c = open_saved();
		expect_frame(c, "hello", 5123456, 113, 100);
		expect_frame(c, "", 4000000, 113, 0);
		expect_frame(c, "wire below captured", 6000000, 113, 19);
		expect_end(c);
	}
}

Test(capture, pcap_with_long_frame_headers)
{
	put_pcap_header(0xa1b2cd34, 1);
	put32(7);
	put32(8);
	put32(2);
	put32(2);
	put32(1);
	put32(2);
	buf_text(&file, "ab");
	struct capture *c = open_saved();
	expect_frame(c, "ab", 7000008, 1, 2);
	expect_end(c);
}

Test(capture, a_wire_length_that_no_frame_has_is_a_lie)
{
	put_pcap_header(0xa1b2c3d4, 1);
	put_pcap_frame(1, 0, "abc", 0xfffffff0);
	struct capture *c = open_saved();
	expect_frame(c, "abc", 1000000, 1, 3);
	expect_end(c);
}

Test(capture, pcap_cut_short_keeps_the_frames_before)
{
	put_pcap_header(0xa1b2c3d4, 1);
	put_pcap_frame(1, 0, "first", 5);
	size_t whole = file.len;
	put_pcap_frame(2, 0, "second", 6);
	for (size_t n = whole + 1; n < file.len; n++) {
		save(file.data, n);
		struct capture *c = capture_open(path, why);
		cr_assert(c);
		expect_frame(c, "first", 1000000, 1, 5);
		expect_damage(c, "behind frame 1, at byte 45");
	}
}

Test(capture, pcap_with_an_impossible_length)
{
	put_pcap_header(0xa1b2c3d4, 1);
	put_pcap_frame(1, 0, "first", 5);
	put32(0);
	put32(0);
	put32(300000);
	put32(0);
	struct capture *c = open_saved();
	expect_frame(c, "first", 1000000, 1, 5);
	expect_damage(c, "damaged at byte 45: frame 2 would have 300000 bytes");
}

Test(capture, pcapng_with_interfaces_that_differ)
{
	for (int order = 0; order < 2; order++) {
		buf_clear(&file);
		big = order;
		put_section();
		put_interface(1, 65535, 6, 0);
		put_interface(113, 100, 9, 0);
		put_interface(101, 0, 0x80 | 10, 50); /* 1,024 a second, 50 s later */
		put_packet(1, 2000000500, "two", 3);
		put_packet(0, 3000001, "three", 5);
		put_packet(2, 1024 * 7 + 512, "seven", 50);
		struct capture *c = open_saved();
		expect_frame(c, "two", 2000000, 113, 3);
		expect_frame(c, "three", 3000001, 1, 5);
		expect_frame(c, "seven", 57500000, 101, 50);
		expect_end(c);
	}
}

Test(capture, pcapng_sections_change_byte_order_and_interfaces)
{
	struct frame f;

	put_section();
	put_interface(1, 0, 6, 0);
	put_packet(0, 1, "little", 6);
	big = true;
	put_section();
	put_interface(101, 0, 6, 0);
	put_packet(0, 2, "big", 3);
	struct capture *c = open_saved();
	expect_frame(c, "little", 1, 1, 6);
	cr_assert_eq(capture_next(c, &f), 1);
	cr_assert_eq(f.link_type, 101);
	cr_assert_eq(f.interface, 1, "numbers go on over sections");
	expect_end(c);
}

Test(capture, pcapng_simple_old_and_unknown_blocks)
{
	put_section();
	put_interface(1, 4, 6, 0);
	put_packet(0, 9, "time", 4);
	size_t b = put_block(0x0bad);
	for (int i = 0; i < 200000; i++) /* longer than the buffer */
		put32(7);
	end_block(b);
	b = put_block(3); /* 10 bytes on the wire, 4 by the snap length */
	put32(10);
	buf_text(&file, "simple");
	end_block(b);
	b = put_block(2);
	put16(0);
	put16(77);
	put32(0);
	put32(11);
	put32(3);
	put32(3);
	buf_text(&file, "old");
	end_block(b);
	struct capture *c = open_saved();
	expect_frame(c, "time", 9, 1, 4);
	expect_frame(c, "simp", 9, 1, 10);
	expect_frame(c, "old", 11, 1, 3);
	expect_end(c);
}

/* Changes the 4 bytes at `at` and expects the second frame to be damaged. */
static void expect_damage_with(size_t at, uint32_t v, const char *words)
{
	uint32_t kept;

	memcpy(&kept, file.data + at, 4);
	memcpy(file.data + at, &v, 4); /* little-endian files on a little-endian machine */
	struct capture *c = open_saved();
	expect_frame(c, "one", 1, 1, 3);
	expect_damage(c, words);
	memcpy(file.data + at, &kept, 4);
}

Test(capture, pcapng_lengths_that_lie)
{
	put_section();
	put_interface(1, 0, 6, 0);
	put_packet(0, 1, "one", 3);
	size_t second = file.len;
	put_packet(0, 2, "two", 3);
	put_packet(0, 3, "three", 5);
	expect_damage_with(second + 4, 0, "length is wrong");
	expect_damage_with(second + 4, 31, "length is wrong");
	expect_damage_with(second + 8, 1, "interface was not described");
	expect_damage_with(second + 20, 1000, "longer than the block");
	expect_damage_with(second + 20, 0xfffffffc, "longer than the block");
}

Test(capture, pcapng_block_longer_than_the_file_gives_its_frame)
{
	put_section();
	put_interface(1, 0, 6, 0);
	size_t at = file.len;
	put_packet(0, 1, "one", 3);
	memset(file.data + at + 4, 0xf0, 4);
	struct capture *c = open_saved();
	expect_frame(c, "one", 1, 1, 3);
	expect_damage(c, "cut short behind frame 1");
}

Test(capture, pcapng_cut_anywhere_ends_and_keeps_what_was_whole)
{
	put_section();
	size_t head = file.len;
	put_interface(1, 0, 6, 0);
	size_t none = file.len;
	put_packet(0, 1, "one", 3);
	size_t one = file.len;
	put_packet(0, 2, "two", 3);
	for (size_t n = 12; n < file.len; n++) {
		struct frame f;
		int frames = 0, rc;
		save(file.data, n);
		struct capture *c = capture_open(path, why);
		cr_assert(c);
		while ((rc = capture_next(c, &f)) == 1)
			frames++;
		cr_assert_geq(frames, n >= one);
		/* The head and the interface alone are a whole capture, too. */
		if (n != head && n != none && n != one)
			cr_assert_eq(rc, -EIO, "at %zu", n);
		capture_close(c);
	}
}

static size_t gzip(uint8_t *out, size_t room, const char *bytes, size_t n)
{
	z_stream z = { 0 };

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	union {
		const char *in;
		Bytef *to;
	} lent = { .in = bytes };
	z.next_in = lent.to;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

Test(capture, gzip_of_one_member_and_of_two)
{
	uint8_t packed[1024];
	uint64_t done, all;

	put_pcap_header(0xa1b2c3d4, 1);
	put_pcap_frame(1, 0, "one", 3);
	put_pcap_frame(2, 0, "two", 3);
	size_t first = gzip(packed, sizeof(packed), file.data, 30);
	size_t n =
		first + gzip(packed + first, sizeof(packed) - first, file.data + 30, file.len - 30);
	memset(packed + n, 0, 10); /* padding, as tapes have it */
	save(packed, n + 10);
	struct capture *c = capture_open(path, why);
	cr_assert(c, "%s", why);
	expect_frame(c, "one", 1000000, 1, 3);
	expect_frame(c, "two", 2000000, 1, 3);
	capture_progress(c, &done, &all);
	cr_assert_eq(all, n + 10);
	cr_assert_eq(done, all);
	expect_end(c);

	save(packed, n - 20);
	c = capture_open(path, why);
	cr_assert(c, "%s", why);
	struct frame f;
	int rc;
	while ((rc = capture_next(c, &f)) == 1)
		;
	cr_assert_eq(rc, -EIO);
	cr_assert(strstr(capture_problem(c), "gzip data ends early"), "%s", capture_problem(c));
	capture_close(c);
}

Test(capture, standard_input)
{
	put_pcap_header(0xa1b2c3d4, 1);
	put_pcap_frame(1, 0, "one", 3);
	save(file.data, file.len);
	cr_assert(freopen(path, "rb", stdin));
	struct capture *c = capture_open("-", why);
	cr_assert(c, "%s", why);
	expect_frame(c, "one", 1000000, 1, 3);
	expect_end(c);
}

Test(capture, what_is_no_capture_is_refused_in_words)
{
	cr_assert_null(capture_open("/nonexistent/x.pcap", why));
	cr_assert_str_eq(why, "/nonexistent/x.pcap: No such file or directory; "
			      "check the path and its permissions");
	cr_assert_null(capture_open("/tmp", why));
	cr_assert(strstr(why, "Is a directory"), "%s", why);
	save("", 0);
	cr_assert_null(capture_open(path, why));
	cr_assert(strstr(why, "not a capture; give a pcap or pcapng file"), "%s", why);
	save("this is plain text, not a capture file", 38);
	cr_assert_null(capture_open(path, why));
}

Test(capture, frames_longer_than_the_buffer_s_rest)
{
	struct frame f;
	const uint32_t most = 262144, count = 20;

	put_pcap_header(0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < count; i++) {
		put32(i);
		put32(0);
		put32(most - i * 1111);
		put32(most);
		cr_assert(buf_reserve(&file, most));
		memset(file.data + file.len, (int)('a' + i), most - i * 1111);
		file.len += most - i * 1111;
	}
	struct capture *c = open_saved();
	for (uint32_t i = 0; i < count; i++) {
		cr_assert_eq(capture_next(c, &f), 1);
		cr_assert_eq(f.captured, most - i * 1111);
		cr_assert_eq(f.bytes[0], 'a' + i);
		cr_assert_eq(f.bytes[f.captured - 1], 'a' + i);
	}
	expect_end(c);
}

struct lent {
	struct frame frames[64];
	size_t count, checked, calls;
};

static void all_are_still_good(void *context)
{
	struct lent *l = context;

	l->calls++;
	for (size_t i = 0; i < l->count; i++, l->checked++)
		for (uint32_t k = 0; k < l->frames[i].captured; k++)
			cr_assert_eq(l->frames[i].bytes[k], (uint8_t)l->frames[i].time.v);
	l->count = 0;
}

/* A frame is filled with its time. */
static void frames_stay_until_told(void)
{
	struct lent l = { 0 };
	struct capture *c = open_saved();

	capture_before_reuse(c, all_are_still_good, &l);
	struct frame f;
	while (capture_next(c, &f) == 1)
		l.frames[l.count++] = f;
	cr_assert_gt(l.calls, 2, "%zu", l.calls);
	all_are_still_good(&l);
	cr_assert_eq(l.checked, 60);
	capture_close(c);
}

static void put_filled_frames(void)
{
	put_pcap_header(0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < 60; i++) {
		put32(0);
		put32(i);
		put32(20000);
		put32(20000);
		cr_assert(buf_reserve(&file, 20000));
		memset(file.data + file.len, (int)i, 20000);
		file.len += 20000;
	}
}

Test(capture, frames_stay_until_their_bytes_are_reused)
{
	put_filled_frames();
	frames_stay_until_told();
}

Test(capture, fingerprint_follows_the_content)
{
	save("abc", 3);
	uint64_t first = capture_fingerprint(path);
	cr_assert_neq(first, 0);
	cr_assert_eq(capture_fingerprint(path), first);
	save("abd", 3);
	cr_assert_neq(capture_fingerprint(path), first);
	cr_assert_eq(capture_fingerprint("-"), 0);
	cr_assert_eq(capture_fingerprint("/nonexistent"), 0);
}
