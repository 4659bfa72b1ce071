/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schema/wire.h"

const char arguments_usage[] =
	"usage: vigie-sensor -c sensor.yaml\n"
	"       vigie-sensor -i IFACE [--site FILE] --json | --spool DIR [OPTION...]\n"
	"       vigie-sensor -r FILE... [--site FILE] --json | --spool DIR [OPTION...]\n"
	"       vigie-sensor -n -c sensor.yaml | -L | -V\n"
	"       vigie-sensor status [--help] [OPTION...]\n"
	"\n"
	"  -r, --read FILE...  replay captures (pcap, pcapng, gzip; - is standard input)\n"
	"  -i, --interface IF  capture live until a signal; may be given several times\n"
	"      --filter BPF    capture only what tcpdump's words match\n"
	"  -c, --config FILE   the sensor's configuration\n"
	"      --site FILE     the site file: segments, conduits, vendors\n"
	"      --json          records as JSON lines on standard output\n"
	"      --spool DIR     records into a spool, for vigie-shipper\n"
	"      --sensor NAME   the name in every record (default: sensor)\n"
	"      --geo FILE      a MaxMind database; may be given several times\n"
	"      --dedup on|off  whether copies that the mirror shows count once (default: on)\n"
	"      --exercise NAME mark every record as part of an exercise\n"
	"      --no-sandbox    do not limit what this program can do\n"
	"  -n, --check         check configuration, site file and databases, then stop\n"
	"  -L, --list          list dissectors and the fields they export\n"
	"  -V, --version       versions of vigie-sensor and its libraries\n";

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case 'r':
		a->files[a->file_count++] = optarg;
		return true;
	case 'c':
		a->config = optarg;
		return true;
	case 'i':
		if (a->interface_count < CONFIG_INTERFACES_MOST)
			a->interfaces[a->interface_count++] = optarg;
		return true;
	case 'f':
		a->filter = optarg;
		return true;
	case 'h':
		a->help = true;
		return true;
	case 'n':
		a->check = true;
		return true;
	case 'X':
		a->no_sandbox = true;
		return true;
	case 'L':
		a->list = true;
		return true;
	case 'V':
		a->version = true;
		return true;
	case 's':
		a->site = optarg;
		return true;
	case 'j':
		a->json = true;
		return true;
	case 'o':
		a->spool = optarg;
		return true;
	case 'N':
		a->sensor = optarg;
		return true;
	case 'd':
		a->dedup = optarg;
		return true;
	case 'e':
		a->exercise = optarg;
		return true;
	case 'g':
		if (a->geo_count < CONFIG_GEO_MOST)
			a->geo[a->geo_count++] = optarg;
		return true;
	default:
		return false;
	}
}

bool arguments_parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{ "read", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' },
		{ "interface", required_argument, NULL, 'i' },
		{ "filter", required_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'L' },
		{ "version", no_argument, NULL, 'V' },
		{ "site", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "spool", required_argument, NULL, 'o' },
		{ "sensor", required_argument, NULL, 'N' },
		{ "geo", required_argument, NULL, 'g' },
		{ "dedup", required_argument, NULL, 'd' },
		{ "exercise", required_argument, NULL, 'e' },
		{ "no-sandbox", no_argument, NULL, 'X' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	a->files = calloc((size_t)argc + 1, sizeof(*a->files));
	while (a->files && (option = getopt_long(argc, argv, "r:c:i:nLVh", options, NULL)) != -1) {
		if (!parse_option(option, a))
			return false;
	}
	while (a->files && optind < argc)
		a->files[a->file_count++] = argv[optind++];
	return a->files != NULL;
}

void arguments_finish(struct arguments *a)
{
	free(a->files);
	*a = (struct arguments){ 0 };
}

static void take_text(char **out, const char *text)
{
	if (!text)
		return;
	free(*out);
	*out = strdup(text);
}

bool arguments_settle(const struct arguments *a, struct sensor_config *c)
{
	struct problems problems = { 0 };
	bool bad = false;

	sensor_config_init(c);
	if (a->config)
		bad = sensor_config_read(c, a->config, &problems) != 0;
	problems_tell(&problems);
	problems_finish(&problems);
	if (bad)
		return false;
	take_text(&c->site, a->site);
	take_text(&c->spool_dir, a->spool);
	c->sensor = a->sensor ? a->sensor : c->sensor;
	c->exercise = a->exercise ? a->exercise : c->exercise;
	c->filter = a->filter ? a->filter : c->filter;
	for (size_t i = 0; i < a->interface_count; i++)
		c->interfaces[i] = a->interfaces[i];
	if (a->interface_count)
		c->interface_count = a->interface_count;
	for (size_t i = 0; i < a->geo_count && c->geo_count < CONFIG_GEO_MOST; i++)
		c->geo[c->geo_count++] = strdup(a->geo[i]);
	if (!wire_sensor_name_is_valid(c->sensor)) {
		log_error("--sensor: this is no sensor name; use 1 to 63 letters, digits, '.', "
			  "'_' or '-'");
		return false;
	}
	if (c->exercise && !wire_sensor_name_is_valid(c->exercise)) {
		log_error("--exercise: this is no name of an exercise; use 1 to 63 letters, "
			  "digits, '.', '_' or '-'");
		return false;
	}
	if (!a->dedup)
		return true;
	c->dedup = !strcmp(a->dedup, "on");
	if (c->dedup || !strcmp(a->dedup, "off"))
		return true;
	log_error("--dedup takes on or off");
	return false;
}
