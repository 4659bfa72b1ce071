/* SPDX-License-Identifier: Apache-2.0
 *
 * read_floor CAPTURE: libpcap reads a capture, and nothing else is done. Prints how
 * many packets and bytes there were. What a meter costs above this is its own. */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE] = "usage: read_floor CAPTURE";
	pcap_t *in = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	struct pcap_pkthdr *head;
	const u_char *bytes;
	uint64_t packets = 0, sum = 0;
	int got = 0;

	if (!in) {
		fprintf(stderr, "read_floor: %s\n", why);
		return 2;
	}
	for (; (got = pcap_next_ex(in, &head, &bytes)) == 1; packets++)
		sum += head->caplen;
	printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, sum);
	pcap_close(in);
	return got == PCAP_ERROR_BREAK ? 0 : 1;
}
