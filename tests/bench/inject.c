/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/inject.h"

#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,          /* frames that the kernel takes to the stack at once */
	SET_UP_US = 100000,  /* a run's takes the kernel some 30 ms: few, long runs */
	SLICE_US = 500000,   /* of each program, when they take turns */
	ROUSE_US = 10000,    /* should the first signal come too early */
	BEHIND_NS = 1000000, /* what is due longer than this is no longer made up for */
	DUE_SHIFT = 10,
	CODE_MOST = 128,
	PROGRAMS = 2,
};

/* Shared with the programs: the one value of a map. */
struct state {
	uint64_t next, end; /* in the area */
	uint64_t flow;
	uint64_t frames, goal, bytes; /* handed to the stack; no more than the goal */
	uint64_t due, step;           /* of the next frame, and between two; 1/1024 ns */
};

struct inject {
	int area, state, programs[PROGRAMS];
	size_t program_count, turn;
	uint32_t interface;
	struct state *shared;
	uint8_t frame[FRAME_MOST]; /* what each page of the kernel begins with, */
	uint8_t templates[PROGRAMS][FLOOD_FRAME];
	uint32_t length;
};

/* --- the programs, instruction by instruction --- */

struct code {
	struct bpf_insn at[CODE_MOST];
	size_t n;
	size_t exits[16], exit_count; /* jumps to the end, to be aimed */
};

static void put(struct code *c, uint8_t op, uint8_t to, uint8_t from, int16_t offset, int32_t value)
{
	c->at[c->n++] = (struct bpf_insn){ op, to & 15u, from & 15u, offset, value };
}

static void set(struct code *c, uint8_t to, int32_t value)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

static void copy(struct code *c, uint8_t to, uint8_t from)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void math(struct code *c, uint8_t operation, uint8_t to, int32_t value)
{
	put(c, BPF_ALU64 | BPF_K | operation, to, 0, 0, value);
}

static void math_of(struct code *c, uint8_t operation, uint8_t to, uint8_t from)
{
	put(c, BPF_ALU64 | BPF_X | operation, to, from, 0, 0);
}

static void load(struct code *c, uint8_t size, uint8_t to, uint8_t from, size_t offset)
{
	put(c, BPF_LDX | BPF_MEM | size, to, from, (int16_t)offset, 0);
}

static void store(struct code *c, uint8_t size, uint8_t to, size_t offset, uint8_t from)
{
	put(c, BPF_STX | BPF_MEM | size, to, from, (int16_t)offset, 0);
}

static void call(struct code *c, int32_t function)
{
	put(c, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

static void leave_if(struct code *c, uint8_t condition, uint8_t what, int32_t value)
{
	c->exits[c->exit_count++] = c->n;
	put(c, BPF_JMP | BPF_K | condition, what, 0, 0, value);
}

/* The address of a map's only value. */
static void address(struct code *c, uint8_t to, int map)
{
	put(c, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_VALUE, 0, map);
	put(c, 0, 0, 0, 0, 0);
}

static void add_to_state(struct code *c, size_t member, uint8_t what)
{
	load(c, BPF_DW, 1, 7, member);
	math_of(c, BPF_ADD, 1, what);
	store(c, BPF_DW, 7, member, 1);
}

/* Counts what register 9 is long, and passes; what left before is dropped. */
static void finish(struct code *c)
{
	set(c, 2, 1);
	add_to_state(c, offsetof(struct state, frames), 2);
	add_to_state(c, offsetof(struct state, bytes), 9);
	set(c, 0, XDP_PASS);
	put(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = 0; i < c->exit_count; i++)
		c->at[c->exits[i]].off = (int16_t)(c->n - c->exits[i] - 1);
	set(c, 0, XDP_DROP);
	put(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void leave_if_not_less(struct code *c, uint8_t what, uint8_t than)
{
	c->exits[c->exit_count++] = c->n;
	put(c, BPF_JMP | BPF_JGE | BPF_X, what, than, 0, 0);
}

static void leave_if_less(struct code *c, uint8_t what, uint8_t than)
{
	c->exits[c->exit_count++] = c->n;
	put(c, BPF_JMP | BPF_JLT | BPF_X, what, than, 0, 0);
}

/* Leaves until the next frame is due: the kernel calls again at once. Then
 * registers: 6 the context, 7 the state. */
static void write_pace(struct code *c, const struct inject *i)
{
	copy(c, 6, 1);
	address(c, 7, i->state);
	load(c, BPF_DW, 1, 7, offsetof(struct state, goal));
	load(c, BPF_DW, 2, 7, offsetof(struct state, frames));
	leave_if_not_less(c, 2, 1);
	call(c, BPF_FUNC_ktime_get_ns);
	load(c, BPF_DW, 1, 7, offsetof(struct state, due));
	copy(c, 2, 0);
	math(c, BPF_LSH, 2, DUE_SHIFT);
	leave_if_less(c, 2, 1);
	math(c, BPF_SUB, 0, BEHIND_NS);
	math(c, BPF_LSH, 0, DUE_SHIFT);
	put(c, BPF_JMP | BPF_JLT | BPF_X, 0, 1, 1, 0);
	copy(c, 1, 0);
	load(c, BPF_DW, 2, 7, offsetof(struct state, step));
	math_of(c, BPF_ADD, 1, 2);
	store(c, BPF_DW, 7, offsetof(struct state, due), 1);
}

/* The next frame of the area. Registers: 8 where it is laid, 9 its length. */
static void write_next(struct code *c, const struct inject *i, uint64_t room)
{
	write_pace(c, i);
	address(c, 8, i->area);
	load(c, BPF_DW, 1, 7, offsetof(struct state, next));
	leave_if(c, BPF_JGT, 1, (int32_t)(room - LAID_MOST));
	math_of(c, BPF_ADD, 8, 1);
	load(c, BPF_W, 9, 8, 0);
	leave_if(c, BPF_JGT, 9, FRAME_MOST);
	leave_if(c, BPF_JLT, 9, FRAME_LEAST);
	copy(c, 2, 9);
	math(c, BPF_ADD, 2, 4 + 7);
	math(c, BPF_AND, 2, ~7);
	math_of(c, BPF_ADD, 1, 2);
	load(c, BPF_DW, 3, 7, offsetof(struct state, end));
	put(c, BPF_JMP | BPF_JLT | BPF_X, 1, 3, 1, 0);
	set(c, 1, 0);
	store(c, BPF_DW, 7, offsetof(struct state, next), 1);
	copy(c, 1, 6);
	copy(c, 2, 9);
	math(c, BPF_ADD, 2, -FRAME_MOST);
	call(c, BPF_FUNC_xdp_adjust_tail);
	leave_if(c, BPF_JNE, 0, 0);
	copy(c, 1, 6);
	set(c, 2, 0);
	copy(c, 3, 8);
	math(c, BPF_ADD, 3, 4);
	copy(c, 4, 9);
	call(c, BPF_FUNC_xdp_store_bytes);
	leave_if(c, BPF_JNE, 0, 0);
	finish(c);
}

static void word(struct code *c, uint8_t what, size_t plain, size_t complement)
{
	store(c, BPF_H, 8, plain, what);
	math(c, BPF_XOR, what, 0xffff);
	store(c, BPF_H, 8, complement, what);
	math(c, BPF_XOR, what, 0xffff);
}

/* The flood's next flow (see load.h). Register 8: the frame. */
static void write_flood(struct code *c, const struct inject *i, bool udp)
{
	write_pace(c, i);
	load(c, BPF_W, 8, 6, offsetof(struct xdp_md, data));
	load(c, BPF_W, 2, 6, offsetof(struct xdp_md, data_end));
	copy(c, 3, 8);
	math(c, BPF_ADD, 3, FLOOD_FRAME);
	leave_if_less(c, 2, 3);
	load(c, BPF_DW, 4, 7, offsetof(struct state, flow));
	copy(c, 1, 4);
	math(c, BPF_ADD, 1, 1);
	store(c, BPF_DW, 7, offsetof(struct state, flow), 1);
	put(c, BPF_ALU | BPF_MUL | BPF_K, 4, 0, 0, FLOOD_FACTOR);
	copy(c, 5, 4);
	math(c, BPF_RSH, 5, 16);
	math(c, BPF_AND, 4, 0xffff);
	word(c, 4, 28, 18);
	word(c, 4, 28, udp ? 42 : 40);
	word(c, 5, 34, udp ? 44 : 38);
	if (udp) {
		math_of(c, BPF_XOR, 5, 4);
		word(c, 5, 36, 46);
	}
	set(c, 9, FLOOD_FRAME);
	finish(c);
}

/* --- the kernel --- */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(uint64_t bytes)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = (uint32_t)bytes,
				.max_entries = 1,
				.map_flags = BPF_F_MMAPABLE };

	return bpf(BPF_MAP_CREATE, &attr);
}

static int load_program(const struct code *c)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP,
				.insn_cnt = (uint32_t)c->n,
				.insns = (uintptr_t)c->at,
				.license = (uintptr_t) "Apache-2.0" };

	return bpf(BPF_PROG_LOAD, &attr);
}

static bool fill_area(struct inject *i, const struct frames *frames)
{
	i->area = make_map(frames->room);
	if (i->area < 0)
		return false;
	uint8_t *p = mmap(NULL, frames->room, PROT_READ | PROT_WRITE, MAP_SHARED, i->area, 0);
	if (p == MAP_FAILED)
		return false;
	memcpy(p, frames->area, frames->end);
	munmap(p, frames->room);
	i->shared->end = frames->end;
	return true;
}

static bool load_programs(struct inject *i, const struct frames *frames, const struct flood *floods,
			  size_t flood_count)
{
	i->program_count = flood_count ? flood_count : 1;
	for (size_t k = 0; k < i->program_count; k++) {
		struct code c = { 0 };
		if (flood_count) {
			write_flood(&c, i, floods[k].udp);
			memcpy(i->templates[k], floods[k].template, FLOOD_FRAME);
		} else {
			write_next(&c, i, frames->room);
		}
		i->programs[k] = load_program(&c);
		if (i->programs[k] < 0)
			return false;
	}
	return true;
}

static void on_alarm(int number)
{
	(void)number;
}

struct inject *inject_open(const char *interface, const struct frames *frames,
			   const struct flood *floods, size_t flood_count, char why[256])
{
	struct inject *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	signal(SIGALRM, on_alarm);
	i->area = i->state = i->programs[0] = i->programs[1] = -1;
	i->shared = MAP_FAILED;
	i->interface = if_nametoindex(interface);
	i->length = flood_count ? FLOOD_FRAME : FRAME_MOST;
	i->state = i->interface ? make_map(sizeof(struct state)) : -1;
	if (i->state >= 0)
		i->shared = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED,
				 i->state, 0);
	if (i->shared == MAP_FAILED || (!flood_count && !fill_area(i, frames)) ||
	    !load_programs(i, frames, floods, flood_count)) {
		snprintf(why, 256, "%s: %s", interface, strerror(errno));
		inject_close(i);
		return NULL;
	}
	return i;
}

void inject_close(struct inject *i)
{
	if (!i)
		return;
	if (i->shared != MAP_FAILED)
		munmap(i->shared, sizeof(struct state));
	for (size_t k = 0; k < PROGRAMS; k++)
		if (i->programs[k] >= 0)
			close(i->programs[k]);
	if (i->area >= 0)
		close(i->area);
	if (i->state >= 0)
		close(i->state);
	free(i);
}

static void set_timer(double seconds)
{
	uint64_t us = (uint64_t)(seconds * 1e6);
	struct itimerval t = { .it_interval = { 0, us ? ROUSE_US : 0 },
			       .it_value = { (time_t)(us / 1000000),
					     (suseconds_t)(us % 1000000) } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static void be_due_now(struct inject *i, double rate)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	i->shared->due = ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) << DUE_SHIFT;
	i->shared->step = rate > 0 ? (uint64_t)(1e9 / rate * (1 << DUE_SHIFT)) : 0;
}

int64_t inject_send(struct inject *i, uint64_t most, double seconds, double rate)
{
	struct xdp_md context = { .data_end = i->length, .ingress_ifindex = i->interface };
	uint64_t before = i->shared->frames;
	size_t turn = i->turn++ % i->program_count;
	bool flood = i->length == FLOOD_FRAME;
	union bpf_attr attr = {
		.test = { .prog_fd = (uint32_t)i->programs[turn],
			  .data_in = (uintptr_t)(flood ? i->templates[turn] : i->frame),
			  .data_size_in = i->length,
			  .ctx_in = (uintptr_t)&context,
			  .ctx_size_in = sizeof(context),
			  .repeat = rate > 0 || most > INT32_MAX ? INT32_MAX : (uint32_t)most,
			  .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
			  .batch_size = BATCH },
	};

	if (i->program_count > 1 && seconds > SLICE_US / 1e6)
		seconds = SLICE_US / 1e6;
	if (rate > 0 && (double)most / rate + SET_UP_US / 1e6 < seconds)
		seconds = (double)most / rate + SET_UP_US / 1e6;
	i->shared->goal = most < UINT64_MAX - before ? before + most : UINT64_MAX;
	be_due_now(i, rate);
	set_timer(seconds);
	/* The timer's signal ends the run. */
	int error = bpf(BPF_PROG_TEST_RUN, &attr) && errno != EINTR ? errno : 0;
	set_timer(0);
	return error ? -error : (int64_t)(i->shared->frames - before);
}

uint64_t inject_bytes(const struct inject *i)
{
	return i->shared->bytes;
}
