/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames through the whole packet path, with tables so small that everything is
 * soon used up. Input: again and again length 2 (its low 11 bits; above them the
 * level of shedding), time 1, wire beyond 1, Ethernet frame. One pipeline serves all inputs, as in
 * the program. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/config.h"
#include "sensor/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ETHERNET = 1 };

static struct counters counters;
static struct output *output;

static struct pipeline *create(void)
{
	static struct sensor_config defaults;
	char why[256];

	sensor_config_init(&defaults);
	struct outlet_options to = { .json = true, .sensor = "fuzz" };
	struct pipeline_options options = {
		.flows = 64,
		.fragments = 2,
		.alerts = 4,
		.names = 16,
		.hosts = 64,
		.dedup = true,
		.seed = 1,
		.timeouts = defaults.timeouts,
		.dissection = { .contexts = 4, .buffers = 2, .dpi_flows = 4 },
		.setting = { .sensor = "fuzz", .site = site_empty(), .realms = &defaults.realms },
	};

	int null = open("/dev/null", O_WRONLY);
	assert(null >= 0 && dup2(null, STDOUT_FILENO) == STDOUT_FILENO);
	output = output_alone(&to, &(struct output_options){ 0 }, &counters, why);
	assert(output);
	return pipeline_create(&options, &counters, output, why);
}

/* From the frame before: backwards, hardly, by as much as time-outs, by days. */
static int64_t step(uint8_t code)
{
	static const int64_t steps[] = { -90000000000, -70000000,  -1000000,   -1,
					 500000,       1100000,    6000000,    61000000,
					 301000000,    3700000000, 90000000000 };

	return code < 240 ? code * 7 : steps[code % (sizeof(steps) / sizeof(steps[0]))];
}

static void show(struct pipeline *p, struct cursor bytes, uint8_t beyond, int64_t time)
{
	/* A copy of the exact size, so that reading one byte past it is caught. */
	size_t n = cursor_left(&bytes);
	uint8_t *exact = malloc(n ? n : 1);

	assert(exact);
	if (n)
		memcpy(exact, bytes.at, n);
	pipeline_frame(p, &(struct frame){ .bytes = exact,
					   .captured = (uint32_t)n,
					   .wire = (uint32_t)n + beyond,
					   .time = { time },
					   .link_type = ETHERNET });
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pipeline *p;
	struct cursor in = cursor_of(data, size);
	int64_t time = 1700000000000000;

	if (!p)
		p = create();
	assert(p);
	while (cursor_left(&in) > 4) {
		uint16_t head = cursor_be16(&in);
		size_t n = head & 2047;
		pipeline_set_shed(p, (uint8_t)((head >> 11) % (SHED_LEVEL_MOST + 1)));
		time += step(cursor_u8(&in));
		uint8_t beyond = cursor_u8(&in);
		if (n > cursor_left(&in))
			n = cursor_left(&in);
		show(p, cursor_sub(&in, n), beyond, time);
	}
	pipeline_flush(p, END_END_OF_INPUT);
	pipeline_set_shed(p, 0);
	output_flush(output);
	assert(pipeline_flow_count(p) == 0);
	assert(counters_add_up(&counters));
	assert(counters.flows == counters.flows_closed);
	return 0;
}
