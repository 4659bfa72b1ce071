/* SPDX-License-Identifier: Apache-2.0 */
#include "dissectors/hostname_class.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LABEL_MOST = 63 };

/* Makers' defaults: a prefix, then exactly so many (or at least so many, where `most`
 * says more) hexadecimal digits, or letters and digits, and nothing else. */
static const struct {
	const char *prefix;
	uint8_t least, most;
	bool hex;
	const char *class;
} defaults[] = {
	/* clang-format off */
	{ "desktop-", 7, 7, false, "windows-default" },
	{ "laptop-", 8, 8, false, "windows-default" },
	{ "win-", 11, 11, false, "windows-default" },
	{ "minint-", 7, 7, false, "windows-default" }, /* Windows PE */
	{ "npi", 6, 6, true, "printer" },    /* HP */
	{ "hp", 6, 12, true, "printer" },
	{ "brn", 12, 12, true, "printer" },  /* Brother, wired */
	{ "brw", 12, 12, true, "printer" },  /* Brother, wireless */
	{ "rnp", 12, 12, true, "printer" },  /* Ricoh */
	{ "epson", 6, 6, true, "printer" },
	{ "km", 6, 6, true, "printer" },     /* Kyocera, Konica Minolta */
	{ "kmbt", 6, 6, true, "printer" },
	{ "sec", 12, 12, true, "printer" },  /* Samsung */
	{ "et", 12, 12, true, "printer" },   /* Lexmark */
	{ "xrx", 12, 12, true, "printer" },  /* Xerox */
	{ "canon", 6, 6, true, "printer" },
	{ "sep", 12, 12, true, "phone" },    /* Cisco */
	{ "ata", 12, 12, true, "phone" },
	{ "axis-", 12, 12, true, "camera" },
	{ "android-", 4, 16, true, "android" },
	{ "esp-", 6, 6, true, "embedded" },
	{ "esp32-", 6, 6, true, "embedded" },
	/* clang-format on */
};

/* Words between which no letter stands; digits may follow. The first row that fits
 * decides, so what a thing is comes before where it stands. A modality's two letters
 * count with a number only: "us" and "mr" are also English. */
static const struct {
	const char *word;
	bool numbered;
	const char *class;
} words[] = {
	/* clang-format off */
	{ "iphone", false, "apple" },       { "ipad", false, "apple" },
	{ "macbook", false, "apple" },      { "imac", false, "apple" },
	{ "macmini", false, "apple" },      { "macbookpro", false, "apple" },
	{ "macbookair", false, "apple" },   { "appletv", false, "apple" },
	{ "mac", false, "apple" },
	{ "android", false, "android" },    { "galaxy", false, "android" },
	{ "pixel", false, "android" },      { "redmi", false, "android" },
	{ "oneplus", false, "android" },    { "huawei", false, "android" },
	{ "printer", false, "printer" },    { "prn", false, "printer" },
	{ "imprimante", false, "printer" }, { "drucker", false, "printer" },
	{ "laserjet", false, "printer" },   { "officejet", false, "printer" },
	{ "copier", false, "printer" },     { "mfp", false, "printer" },
	{ "camera", false, "camera" },      { "ipcam", false, "camera" },
	{ "cam", false, "camera" },         { "nvr", false, "camera" },
	{ "phone", false, "phone" },        { "polycom", false, "phone" },
	{ "yealink", false, "phone" },      { "snom", false, "phone" },
	{ "voip", false, "phone" },         { "avaya", false, "phone" },
	{ "scanner", false, "modality" },   { "modality", false, "modality" },
	{ "mri", false, "modality" },       { "irm", false, "modality" },
	{ "ultrasound", false, "modality" },{ "echograph", false, "modality" },
	{ "angio", false, "modality" },     { "mammo", false, "modality" },
	{ "xray", false, "modality" },      { "petct", false, "modality" },
	{ "ecg", false, "modality" },       { "eeg", false, "modality" },
	{ "ct", true, "modality" },         { "mr", true, "modality" },
	{ "us", true, "modality" },         { "xa", true, "modality" },
	{ "mg", true, "modality" },         { "nm", true, "modality" },
	{ "pet", true, "modality" },        { "dx", true, "modality" },
	{ "rf", true, "modality" },         { "cr", true, "modality" },
	{ "pacs", false, "clinical" },      { "ris", false, "clinical" },
	{ "hl7", false, "clinical" },       { "dicom", false, "clinical" },
	{ "ehr", false, "clinical" },       { "emr", false, "clinical" },
	{ "carescape", false, "clinical" }, { "intellivue", false, "clinical" },
	{ "infusion", false, "clinical" },  { "pump", false, "clinical" },
	{ "monitor", false, "clinical" },   { "ventilator", false, "clinical" },
	{ "server", false, "server" },      { "srv", false, "server" },
	{ "serv", false, "server" },        { "dc", true, "server" },
	{ "sql", false, "server" },         { "nas", false, "server" },
	{ "esx", false, "server" },         { "esxi", false, "server" },
	{ "switch", false, "network" },     { "router", false, "network" },
	{ "firewall", false, "network" },   { "gateway", false, "network" },
	{ "sw", true, "network" },          { "ap", true, "network" },
	{ "raspberrypi", false, "embedded" },{ "openwrt", false, "embedded" },
	{ "arduino", false, "embedded" },   { "plc", false, "embedded" },
	{ "pc", false, "workstation" },     { "workstation", false, "workstation" },
	{ "laptop", false, "workstation" }, { "desktop", false, "workstation" },
	{ "notebook", false, "workstation" },{ "wks", false, "workstation" },
	{ "ws", true, "workstation" },      { "thinkpad", false, "workstation" },
	/* clang-format on */
};

static bool all_of(const char *p, size_t n, bool hex)
{
	for (size_t i = 0; i < n; i++)
		if (!(hex ? isxdigit((unsigned char)p[i]) : isalnum((unsigned char)p[i])))
			return false;
	return true;
}

static const char *by_default(const char *label, size_t n)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (label[0] != defaults[i].prefix[0])
			continue;
		size_t prefix = strlen(defaults[i].prefix);
		if (n < prefix || memcmp(label, defaults[i].prefix, prefix) != 0)
			continue;
		size_t rest = n - prefix;
		if (rest >= defaults[i].least && rest <= defaults[i].most &&
		    all_of(label + prefix, rest, defaults[i].hex))
			return defaults[i].class;
	}
	return NULL;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Digits may stand between: "ct-01", "ct01". */
static bool number_follows(const char *p, size_t n)
{
	size_t i = n && (*p == '-' || *p == '_') ? 1 : 0;

	return i < n && isdigit((unsigned char)p[i]);
}

static bool holds_word(const char *label, size_t n, const char *word, bool numbered)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= n; i++) {
		if (memcmp(label + i, word, length) != 0 || (i && is_letter(label[i - 1])))
			continue;
		const char *behind = label + i + length;
		size_t left = n - i - length;
		if (numbered ? number_follows(behind, left) : !left || !is_letter(*behind))
			return true;
	}
	return false;
}

/* With which letters words begin in a label: a bit each. */
static uint32_t beginnings(const char *label, size_t n)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < n; i++)
		if (is_letter(label[i]) && (!i || !is_letter(label[i - 1])))
			letters |= UINT32_C(1) << (label[i] - 'a');
	return letters;
}

const char *hostname_class(const void *name, size_t n)
{
	const char *bytes = name;
	char label[LABEL_MOST];
	size_t length = 0;

	while (length < n && length < sizeof(label) && bytes[length] != '.') {
		label[length] = (char)tolower((unsigned char)bytes[length]);
		length++;
	}
	if (length == 0)
		return NULL;
	const char *class = by_default(label, length);
	uint32_t letters = class ? 0 : beginnings(label, length);
	for (size_t i = 0; !class && i < sizeof(words) / sizeof(words[0]); i++)
		if (letters >> (words[i].word[0] - 'a') & 1 &&
		    holds_word(label, length, words[i].word, words[i].numbered))
			class = words[i].class;
	return class ? class : "other";
}
