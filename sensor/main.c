/* SPDX-License-Identifier: Apache-2.0
 *
 * vigie-sensor: meters captures and interfaces (docs/man/vigie-sensor.8). */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dissectors/dissector.h"
#include "sensor/dpi.h"
#include "sensor/geo.h"
#include "sensor/live.h"
#include "sensor/sensor.h"
#include "sensor/status_client.h"

enum { EXIT_USAGE = 2 };

static void on_stop(int number)
{
	(void)number;
	sensor_stop = 1;
}

static void on_reload(int number)
{
	(void)number;
	sensor_reload = 1;
}

static void list_dissectors(void)
{
	for (size_t i = 0; dissectors[i]; i++) {
		printf("%-10s %s\n", dissectors[i]->name, dissectors[i]->summary);
		for (const struct field *f = dissectors[i]->fields; f && f->name; f++)
			printf("    %-28s %-7s %-8s %-8s %-6s %s\n", f->name,
			       field_type_name(f->type), *f->unit ? f->unit : "-",
			       grammar_name(f->grammar), phi_class_name(f->phi), f->meaning);
	}
}

static void print_version(void)
{
	printf("vigie-sensor %s\n%s\n%s\n%s\n", VIGIE_VERSION, live_library(), dpi_version(),
	       geo_library());
}

static int act(const struct arguments *a)
{
	struct sensor_config config = { 0 };
	int status = EXIT_USAGE;

	if (a->help)
		fputs(arguments_usage, stdout);
	else if (a->list)
		list_dissectors();
	else if (a->version)
		print_version();
	else {
		if (arguments_settle(a, &config))
			status = sensor_run(a, &config);
		sensor_config_finish(&config);
		return status;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct sigaction stop = { .sa_handler = on_stop }, reload = { .sa_handler = on_reload };
	int status = EXIT_USAGE;

	log_init("vigie-sensor", LOG_INFO);
	if (argc > 1 && !strcmp(argv[1], "status"))
		return status_command(argc - 1, argv + 1);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &reload, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader that left is told as any other failure */
	if (arguments_parse(argc, argv, &arguments))
		status = act(&arguments);
	else
		fputs(arguments_usage, stderr);
	arguments_finish(&arguments);
	return status;
}
