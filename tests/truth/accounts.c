/* SPDX-License-Identifier: Apache-2.0
 *
 * Every frame of every capture below the given folders must be accounted for
 * exactly once (schema/counters.h), whatever the table sizes. Skipped (77) when
 * there are none. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sensor/capture.h"
#include "sensor/config.h"
#include "sensor/pipeline.h"

static struct counters counters;
static struct output *output;
static struct pipeline *pipeline;
static struct site *site;
static size_t captures, wrong;

static struct pipeline *create(void)
{
	static struct sensor_config defaults;
	char why[256];

	site = site_empty();
	sensor_config_init(&defaults);
	struct pipeline_options options = {
		.flows = 64,
		.fragments = 8,
		.alerts = 4,
		.names = 16,
		.dedup = true,
		.seed = 1,
		.timeouts = defaults.timeouts,
		.dissection = { .contexts = 4, .buffers = 2, .dpi_flows = 4 },
		.setting = { .sensor = "accounts", .site = site, .realms = &defaults.realms },
	};

	struct pipeline *p = pipeline_create(&options, &counters, output, why);
	if (!p)
		fprintf(stderr, "%s\n", why);
	return p;
}

static int one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	char why[256];
	struct frame frame;
	uint64_t frames = 0, before = counters.packets;

	(void)st;
	(void)ftw;
	struct capture *c = kind == FTW_F ? capture_open(path, why) : NULL;
	if (!c)
		return 0;
	for (; capture_next(c, &frame) == 1; frames++)
		pipeline_frame(pipeline, &frame);
	capture_close(c);
	pipeline_flush(pipeline, END_END_OF_INPUT);
	output_flush(output);
	captures++;
	if (counters.packets - before == frames && counters_add_up(&counters) &&
	    counters.flows == counters.flows_closed)
		return 0;
	fprintf(stderr, "%s: %llu frames do not add up\n", path, (unsigned long long)frames);
	wrong++;
	return 0;
}

int main(int argc, char **argv)
{
	char why[256];
	int null = open("/dev/null", O_WRONLY);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		return 1;
	output = output_alone(&(struct outlet_options){ .json = true, .sensor = "accounts" },
			      &(struct output_options){ 0 }, &counters, why);
	pipeline = output ? create() : NULL;
	if (!pipeline)
		return 1;
	for (int i = 1; i < argc; i++)
		nftw(argv[i], one, 16, FTW_PHYS);
	pipeline_destroy(pipeline);
	output_destroy(output);
	site_free(site);
	fprintf(stderr, "%zu captures, %llu frames, %zu wrong\n", captures,
		(unsigned long long)counters.packets, wrong);
	return wrong ? 1 : captures ? 0 : 77;
}
