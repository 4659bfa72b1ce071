/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/device.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(device, queue_drops_are_the_second_column)
{
	cr_assert_eq(softnet_parse("000aaf19 00000000 00000000\n"
				   "000bed15 0000001f 00000000\n00000001 00000002 0\n"),
		     0x21);
	cr_assert_eq(softnet_parse(""), 0);
	cr_assert_eq(softnet_parse("\n\n"), 0);
	cr_assert_eq(softnet_parse("what is this\n"), 0);
	cr_assert_eq(softnet_parse("00000001"), 0, "no second column");
}

Test(device, every_beginning_of_the_files_is_read)
{
	static const char softnet[] = "000aaf19 00000003 0\n000bed15 00000004 0\n";
	static const char uevent[] = "DEVTYPE=x\nINTERFACE=eth1\nIFINDEX=2\n";
	char name[IF_NAMESIZE];

	for (size_t n = 0; n <= sizeof(softnet) - 1; n++) {
		char *text = strndup(softnet, n); /* of its own, so that a sanitizer sees its end */
		cr_expect_leq(softnet_parse(text), 7);
		free(text);
	}
	for (size_t n = 0; n <= sizeof(uevent) - 1; n++) {
		char *text = strndup(uevent, n);
		if (uevent_name(text, name))
			cr_expect(strncmp(name, "eth1", strlen(name)) == 0, "%s", name);
		free(text);
	}
}

Test(device, the_name_of_now)
{
	char name[IF_NAMESIZE] = "old";

	cr_assert(uevent_name("INTERFACE=eth1\nIFINDEX=2\n", name));
	cr_assert_str_eq(name, "eth1");
	cr_assert(uevent_name("DEVTYPE=wlan\nINTERFACE=b", name));
	cr_assert_str_eq(name, "b");
	cr_assert_not(uevent_name("IFINDEX=2\n", name));
	cr_assert_not(uevent_name("INTERFACE=\n", name));
	cr_assert_not(uevent_name("INTERFACE=muchlongerthananame\n", name));
	cr_assert_str_eq(name, "b");
}

Test(device, up_or_not)
{
	cr_assert(operstate_is_up("up\n"));
	cr_assert(operstate_is_up("unknown\n"), "loopback, and drivers that do not tell");
	cr_assert_not(operstate_is_up("down\n"));
	cr_assert_not(operstate_is_up("lowerlayerdown\n"));
	cr_assert_not(operstate_is_up("notpresent\n"));
	cr_assert_not(operstate_is_up(""));
}

Test(device, losses_between_two_looks)
{
	struct device_facts before = { .told = true,
				       .counts = { [DEVICE_MISSED] = 5, [DEVICE_CRC] = 9 } };
	struct device_facts now = { .told = true,
				    .counts = { [DEVICE_MISSED] = 7,
						[DEVICE_FIFO] = 4,
						[DEVICE_OVER] = 3,
						[DEVICE_DROPPED] = 1,
						[DEVICE_CRC] = 10,
						[DEVICE_FRAME] = 1,
						[DEVICE_LENGTH] = 1 } };
	struct device_losses l = device_losses_between(&before, &now);

	cr_assert_eq(l.missed, 2 + 4, "two names of one overflow count once");
	cr_assert_eq(l.unclaimed, 1);
	cr_assert_eq(l.damaged, 3);
	now.counts[DEVICE_CRC] = 1;
	cr_assert_eq(device_losses_between(&before, &now).damaged, 3, "it began anew");
	now.gone = true;
	cr_assert_eq(device_losses_between(&before, &now).missed, 0);
}

Test(device, longest_frame)
{
	cr_assert_eq(device_frame_most(1500), 1522);
	cr_assert_eq(device_frame_most(0), 0);
}

Test(device, loopback_tells_about_itself)
{
	struct device *d = device_open("lo");
	struct device_facts facts;

	device_read(d, &facts);
	if (facts.told) { /* a sysfs may be missing in a container */
		cr_assert_str_eq(facts.name, "lo");
		cr_assert_not(facts.gone);
		cr_assert_gt(facts.mtu, 0);
	}
	device_close(d);
	int fd = device_softnet_open();
	cr_assert_eq(device_softnet_drops(-1), 0);
	device_softnet_drops(fd);
	close(fd);
}

Test(device, none_of_that_name)
{
	struct device *d = device_open("vigie-no-such");
	struct device_facts facts;
	char offloads[16] = "?";

	device_read(d, &facts);
	cr_assert_not(facts.told);
	cr_assert_not(facts.gone, "it never was there");
	cr_assert_eq(facts.mtu, 0);
	device_offloads("vigie-no-such", offloads);
	cr_assert_str_eq(offloads, "");
	device_close(d);
	device_close(NULL);
}
