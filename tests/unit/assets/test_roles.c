/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/roles.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const worklist[] = { "1.2.840.10008.5.1.4.31" };
static const char *const ct_storage[] = { "1.2.840.10008.5.1.4.1.1.2" };
static const char *const query[] = { "1.2.840.10008.5.1.4.1.2.2.1" };
static const char *const originator[] = { "WORKSTATION1" };
static const char *const admission[] = { "ACK^A01^ACK", "ADT^A01^ADT_A01" };

static struct record_attribute texts(const char *name, const char *const *list, size_t count)
{
	return (struct record_attribute){
		.name = name, .type = ATTRIBUTE_TEXTS, .texts = list, .count = count
	};
}

static struct record_attribute number(const char *name, uint64_t v)
{
	return (struct record_attribute){ .name = name, .type = ATTRIBUTE_NUMBER, .number = v };
}

static struct record_flow flow(const char *app, const struct record_attribute *list, size_t count)
{
	return (struct record_flow){
		.app = app,
		.app_confidence = CONFIDENCE_HIGH,
		.packets_to_server = 4,
		.packets_to_client = 4,
		.attributes = list,
		.attribute_count = count,
	};
}

/* "archive high dicom.c_store, ..." */
static const char *told(const struct record_flow *f, bool server)
{
	static char text[512];
	struct role_guess guesses[ROLE_GUESSES];
	size_t n = roles_of_flow(f, server, guesses);

	*text = '\0';
	for (size_t i = 0; i < n; i++) {
		cr_expect(is_host_role(guesses[i].role), "%s is listed", guesses[i].role);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s %s",
			 i ? ", " : "", guesses[i].role, confidence_name(guesses[i].confidence),
			 guesses[i].from);
	}
	return text;
}

Test(roles, who_stores_is_a_modality)
{
	struct record_attribute a[] = { number("dicom.c_store", 2),
					texts("dicom.used_sop_class", ct_storage, 1) };
	struct record_flow f = flow("dicom", a, 2);

	cr_expect_str_eq(told(&f, false), "modality medium dicom.c_store");
	cr_expect_str_eq(told(&f, true), "archive medium dicom.c_store");
	a[0].number = 0;
	cr_expect_str_eq(told(&f, false), "");
}

Test(roles, what_was_moved_comes_from_an_archive)
{
	struct record_attribute a[] = { number("dicom.c_store", 2),
					texts("dicom.move_originator", originator, 1) };
	struct record_flow f = flow("dicom", a, 2);

	cr_expect_str_eq(told(&f, false), "archive high dicom.move_originator");
	cr_expect_str_eq(told(&f, true), "imaging-workstation medium dicom.move_originator");
}

Test(roles, queries_tell_who_asks)
{
	struct record_attribute a[] = { texts("dicom.used_sop_class", worklist, 1) };
	struct record_flow f = flow("dicom", a, 1);

	cr_expect_str_eq(told(&f, false), "modality high dicom.used_sop_class");
	cr_expect_str_eq(told(&f, true), "worklist-server high dicom.used_sop_class");
	a[0].texts = query;
	cr_expect_str_eq(told(&f, false), "imaging-workstation medium dicom.used_sop_class");
	cr_expect_str_eq(told(&f, true), "archive high dicom.used_sop_class");
}

Test(roles, admissions_come_from_patient_administration)
{
	struct record_attribute a[] = { number("hl7.messages", 1),
					texts("hl7.message_type", admission, 2) };
	struct record_flow f = flow("hl7", a, 2);

	cr_expect_str_eq(told(&f, false), "hl7-sender high hl7.messages, "
					  "patient-administration medium hl7.message_type");
	cr_expect_str_eq(told(&f, true), "hl7-receiver high hl7.messages");
}

Test(roles, no_surer_than_the_application)
{
	struct record_flow f = flow("s7", NULL, 0);

	cr_expect_str_eq(told(&f, true), "plc high s7");
	f.app_confidence = CONFIDENCE_LOW;
	cr_expect_str_eq(told(&f, true), "plc low s7");
}

Test(roles, applications_that_tell_by_themselves)
{
	static const struct {
		const char *app, *client, *server;
	} rows[] = {
		{ "anydesk", "remote-access-target low anydesk", "" },
		{ "astm", "analyser medium astm", "lis medium astm" },
		{ "bacnet", "", "building-controller medium bacnet" },
		{ "carescape", "monitor medium carescape", "" },
		{ "citrix", "remote-access-source medium citrix", "" },
		{ "dhcp", "", "address-server medium dhcp" },
		{ "enip", "", "plc medium enip" },
		{ "fox", "building-workstation low fox", "building-controller high fox" },
		{ "ftp", "", "file-server medium ftp" },
		{ "intellivue", "monitor-gateway medium intellivue", "monitor high intellivue" },
		{ "ipp", "", "printer medium ipp" },
		{ "kerberos", "", "directory-server high kerberos" },
		{ "knxnetip", "", "building-controller medium knxnetip" },
		{ "ldap", "", "directory-server medium ldap" },
		{ "modbus", "", "plc medium modbus" },
		{ "opcua", "", "server low opcua" },
		{ "poct1a", "analyser high poct1a", "lis high poct1a" },
		{ "rdp", "remote-access-source high rdp", "remote-access-target high rdp" },
		{ "s7", "engineering-workstation low s7", "plc high s7" },
		{ "smb", "", "file-server low smb" },
		{ "ssh", "remote-access-source medium ssh", "remote-access-target medium ssh" },
		{ "teamviewer", "remote-access-target low teamviewer", "" },
		{ "telnet", "remote-access-source medium telnet",
		  "remote-access-target medium telnet" },
		{ "vnc", "remote-access-source high vnc", "remote-access-target high vnc" },
		{ "aaa", "", "" },
		{ "dic", "", "" },
		{ "zoom", "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record_flow f = flow(rows[i].app, NULL, 0);
		cr_expect_str_eq(told(&f, false), rows[i].client, "%s", rows[i].app);
		cr_expect_str_eq(told(&f, true), rows[i].server, "%s", rows[i].app);
	}
}

Test(roles, who_does_not_answer_is_no_server)
{
	struct record_flow f = flow("rdp", NULL, 0);

	f.packets_to_client = 0;
	cr_expect_str_eq(told(&f, true), "");
	cr_expect_str_eq(told(&f, false), "");
	f.packets_to_client = 1;
	f.app = NULL;
	cr_expect_str_eq(told(&f, true), "");
}

Test(roles, facts)
{
	static const struct {
		const char *field, *value, *name, *role, *os;
	} rows[] = {
		{ "dicom.calling_ae", "CT_MODALITY1", "ae_title", NULL, NULL },
		{ "dicom.called_version", "OFFIS_DCMTK_367", "software", NULL, NULL },
		{ "dhcp.vendor_class", "MSFT 5.0", "vendor_class", NULL, "windows" },
		{ "dhcp.vendor_class", "GE CARESCAPE", "vendor_class", "monitor", NULL },
		{ "dhcp.fingerprint", "1,3,6,15,31,33,43,44,46,47,119,121,249,252", "fingerprint",
		  NULL, "windows" },
		{ "dhcp.fingerprint", "1,3,6,12,42", "fingerprint", NULL, NULL },
		{ "ssh.server_software", "OpenSSH_9.2p1", "software", NULL, NULL },
		{ "ssh.server_system", "Debian-2+deb12u3", "server_system", NULL, "linux" },
		{ "http.server", "nginx/1.22.1", "software", NULL, NULL },
		{ "ssh.hassh_server", "425d29fe50d8e4f5e37efb6e24bcf660", "hassh_server", NULL,
		  NULL },
		{ "vnc.server_version", "3.8", "server_version", NULL, NULL },
		{ "dhcp.role", "server", "role", "address-server", NULL },
		{ "dhcp.hostname_class", "printer", "name_class", "printer", NULL },
		{ "dhcp.hostname_class", "windows-default", "name_class", NULL, "windows" },
		{ "mdns.hostname_class", "apple", "name_class", NULL, "apple" },
		{ "netbios.role", "domain-controller", "role", "directory-server", "windows" },
		{ "s7.module_type", "CPU 315-2 PN/DP", "module_type", "plc", NULL },
		{ "s7.serial", "S C-X4U421302009", "serial", NULL, NULL },
		{ "smb.server_build", "10.0.20348", "server_build", NULL, "windows" },
		{ "wsd.device", "MedicalDevice", "device", "medical-device", NULL },
		{ "enip.product", "1756-ENBT/A", "model", NULL, NULL },
		{ "ssh.server_software", "OpenSSH_for_Windows_8.1", "software", NULL, "windows" },
		{ "mdns.service", "_ipp._tcp", "service", "printer", NULL },
		{ "lldp.capabilities", "bridge", "capabilities", "switch", NULL },
		{ "lldp.capabilities", "bridges", "capabilities", NULL, NULL },
		{ "s7.order_number", "6ES7 315-2EH14-0AB0", "model", "plc", NULL },
		{ "snmp.sys_descr", "Cisco IOS Software, Catalyst 2960", "sys_descr", "switch",
		  "cisco-ios" },
		{ "odd", "x", "odd", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fact_sense s = fact_sense(rows[i].field, rows[i].value);
		cr_expect_str_eq(s.name, rows[i].name, "%s", rows[i].field);
		cr_expect_str_eq(s.role ? s.role : "", rows[i].role ? rows[i].role : "", "%s %s",
				 rows[i].field, rows[i].value);
		cr_expect_str_eq(s.os ? s.os : "", rows[i].os ? rows[i].os : "", "%s %s",
				 rows[i].field, rows[i].value);
		cr_expect(!s.role || (is_host_role(s.role) && s.role_confidence));
		cr_expect(!s.os || s.os_confidence);
	}
}

Test(roles, bindings_do_not_last)
{
	cr_expect(fact_sense("arp.binding", "asked").passing);
	cr_expect(fact_sense("dhcp.lease", "leased").passing);
	cr_expect(fact_sense("tls.ja3", "0123456789abcdef0123456789abcdef").passing);
	cr_expect_not(fact_sense("dhcp.vendor_class", "MSFT 5.0").passing);
}

Test(roles, clinical_services_over_http)
{
	static const char *const fhir[] = { "fhir" }, *const orthanc[] = { "orthanc", "dicomweb" };
	struct record_attribute a[] = { texts("http.api", fhir, 1) };
	struct record_flow f = flow("http", a, 1);

	cr_expect_str_eq(told(&f, true), "clinical-server medium http.api");
	cr_expect_str_eq(told(&f, false), "");
	a[0] = texts("http.api", orthanc, 2);
	cr_expect_str_eq(told(&f, true),
			 "clinical-server medium http.api, archive medium http.api");
}

Test(roles, who_was_refused_has_another_title)
{
	static const char *const accepted[] = { "accepted" }, *const rejected[] = { "rejected" };
	struct record_attribute a[] = { texts("dicom.association", accepted, 1) };
	struct record_flow f = flow("dicom", a, 1);

	cr_expect(fact_holds(&f, "dicom.called_ae"));
	a[0].texts = rejected;
	cr_expect_not(fact_holds(&f, "dicom.called_ae"));
	cr_expect(fact_holds(&f, "dicom.calling_ae"));
	f.attribute_count = 0;
	cr_expect_not(fact_holds(&f, "dicom.called_ae"));
}

Test(roles, makers)
{
	cr_expect_str_eq(role_of_vendor("Masimo Corporation"), "monitor");
	cr_expect_str_eq(role_of_vendor("LEXMARK INTERNATIONAL, INC."), "printer");
	cr_expect_null(role_of_vendor("Cisco Systems, Inc"));
	cr_expect_null(role_of_vendor(NULL));
}

Test(roles, time_to_live)
{
	cr_expect_str_eq(os_of_ttl(64), "unix-like");
	cr_expect_str_eq(os_of_ttl(128), "windows");
	cr_expect_str_eq(os_of_ttl(255), "embedded");
	cr_expect_null(os_of_ttl(127));
	cr_expect_null(os_of_ttl(0));
}

Test(roles, names_give_a_class_and_nothing_else)
{
	static const struct {
		const char *name, *class;
	} rows[] = {
		{ "ct1.chu.example", "modality" },
		{ "PACS", "archive" },
		{ "srv-pacs-02", "server" },
		{ "icu-mon-12.icu.example", "monitor" },
		{ "pc4711", "workstation" },
		{ "dr-smith", NULL },
		{ "actor.example", NULL },
		{ "host.pacs.example", NULL },
		{ "", NULL },
		{ "192-0-2-1", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *class = host_name_class(rows[i].name);
		cr_expect_str_eq(class ? class : "", rows[i].class ? rows[i].class : "", "%s",
				 rows[i].name);
		cr_expect(!class || is_host_role(class));
	}
	cr_expect_not(is_host_role("dr"));
}
