/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/dpi_servers.h"

#include <criterion/criterion.h>
#include <string.h>

static const char http[] = "http", mqtt[] = "mqtt";
static struct counters counters;

static struct dpi_servers *create(size_t entries)
{
	memset(&counters, 0, sizeof(counters));
	struct dpi_servers *s = dpi_servers_create(entries, &counters);
	cr_assert_not_null(s);
	return s;
}

static struct dpi_server server_at(uint16_t port)
{
	const uint8_t address[4] = { 192, 0, 2, 20 };

	return (struct dpi_server){
		.ip = ip_from_v4(address), .port = port, .protocol = 6, .first = 0x4745
	};
}

static void learn(struct dpi_servers *s, const struct dpi_server *server, unsigned flows,
		  const char *app)
{
	for (unsigned i = 0; i < flows; i++)
		dpi_servers_learn(s, server, 1000, app);
}

static bool is_recalled(struct dpi_servers *s, const struct dpi_server *server, const char *as)
{
	const char *app = "?";
	bool recalled = dpi_servers_recall(s, server, 2000, &app);

	if (recalled)
		cr_expect_eq(app, as);
	return recalled;
}

Test(dpi_servers, what_several_flows_agree_on)
{
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80);

	learn(s, &a, DPI_SERVERS_AGREE - 1, http);
	cr_expect(!is_recalled(s, &a, http));
	learn(s, &a, 1, http);
	cr_expect(is_recalled(s, &a, http));
	cr_expect_eq(counters.dpi_recalled, 1);
	dpi_servers_destroy(s);
}

Test(dpi_servers, that_there_is_no_name_too)
{
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80);

	learn(s, &a, DPI_SERVERS_AGREE, NULL);
	cr_expect(is_recalled(s, &a, NULL));
	dpi_servers_destroy(s);
}

Test(dpi_servers, each_part_of_the_key_tells_servers_apart)
{
	struct dpi_servers *s = create(1024);
	struct dpi_server a = server_at(80), others[] = { a, a, a, a, a, a };

	others[0].port++;
	others[1].ip.bytes[15]++;
	others[2].realm++;
	others[3].protocol = 17;
	others[4].speaks_first = 1;
	others[5].first++;
	learn(s, &a, DPI_SERVERS_AGREE, http);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect(!is_recalled(s, &others[i], http), "%zu", i);
	dpi_servers_destroy(s);
}

Test(dpi_servers, every_sixteenth_is_looked_at)
{
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80);

	learn(s, &a, DPI_SERVERS_AGREE, http);
	for (uint64_t look = 1; look <= 2; look++) {
		for (int i = 1; i < DPI_SERVERS_RECHECK; i++)
			cr_assert(is_recalled(s, &a, http), "%d, whether or not the look has ended",
				  i);
		cr_expect(!is_recalled(s, &a, http));
		cr_expect_eq(counters.dpi_rechecks, look);
	}
	learn(s, &a, 1, http);
	cr_expect(is_recalled(s, &a, http));
	dpi_servers_destroy(s);
}

Test(dpi_servers, however_its_flows_begin)
{
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80), b = a, other = server_at(81);

	b.first++;
	b.speaks_first = 1;
	struct dpi_server any = dpi_server_however(&a), same = dpi_server_however(&b),
			  others = dpi_server_however(&other);
	learn(s, &any, DPI_SERVERS_AGREE_HOWEVER - 1, NULL);
	cr_expect(!is_recalled(s, &same, NULL), "it takes more than of flows that begin alike");
	learn(s, &any, 1, NULL);
	cr_expect(is_recalled(s, &same, NULL));
	cr_expect(!is_recalled(s, &a, NULL), "an entry of its own");
	cr_expect(!is_recalled(s, &others, NULL));
	dpi_servers_forget(s, &same);
	cr_expect_eq(counters.dpi_changed, 1);
	cr_expect(!is_recalled(s, &any, NULL));
	dpi_servers_destroy(s);
}

Test(dpi_servers, one_that_differs_makes_it_forgotten)
{
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80);

	learn(s, &a, DPI_SERVERS_AGREE, http);
	learn(s, &a, 1, mqtt);
	cr_expect_eq(counters.dpi_changed, 1);
	cr_expect(!is_recalled(s, &a, http));
	learn(s, &a, DPI_SERVERS_AGREE - 1, mqtt);
	cr_expect(is_recalled(s, &a, mqtt));
	dpi_servers_forget(s, &a);
	cr_expect_eq(counters.dpi_changed, 2);
	cr_expect(!is_recalled(s, &a, mqtt));
	dpi_servers_destroy(s);
}

Test(dpi_servers, what_was_not_confirmed_for_long_is_not_relied_on)
{
	const int64_t span = DPI_SERVERS_SECONDS * INT64_C(1000000);
	struct dpi_servers *s = create(64);
	struct dpi_server a = server_at(80);
	const char *app;

	learn(s, &a, DPI_SERVERS_AGREE, http);
	cr_expect(dpi_servers_recall(s, &a, 1000 + span - 1, &app));
	cr_expect(!dpi_servers_recall(s, &a, 1000 + span, &app));
	cr_expect(!dpi_servers_recall(s, &a, 1000 - span, &app), "a clock that went back");
	dpi_servers_destroy(s);
}

Test(dpi_servers, the_full_memory_forgets_what_is_oldest)
{
	struct dpi_servers *s = create(4);
	struct dpi_server a = server_at(1);

	for (uint16_t port = 1; port <= 5; port++) {
		a.port = port;
		for (int i = 0; i < DPI_SERVERS_AGREE; i++)
			dpi_servers_learn(s, &a, port, http);
	}
	for (uint16_t port = 1; port <= 5; port++) {
		a.port = port;
		cr_expect_eq(is_recalled(s, &a, http), port > 1, "%u", port);
	}
	dpi_servers_destroy(s);
}
