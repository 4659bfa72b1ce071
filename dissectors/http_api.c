/* SPDX-License-Identifier: Apache-2.0
 *
 * Which clinical service a message belongs to, by path template and media type: FHIR
 * (HL7 FHIR R4 section 3.1.0), DICOMweb (PS3.18 sections 8 to 11), IHE ITI transactions and
 * IEEE 11073-20701 over SOAP. What leaves is always a word of the lists below. */
#include "dissectors/http_internal.h"

#include <string.h>

enum { ORTHANC_PORT = 8042, PAGE_DIGITS = 4 };

static const char *const resources[] = {
	"Account",
	"AllergyIntolerance",
	"Appointment",
	"AuditEvent",
	"Basic",
	"Binary",
	"BodyStructure",
	"Bundle",
	"CarePlan",
	"CareTeam",
	"ChargeItem",
	"Claim",
	"ClinicalImpression",
	"Communication",
	"CommunicationRequest",
	"Composition",
	"Condition",
	"Consent",
	"Coverage",
	"Device",
	"DeviceMetric",
	"DeviceRequest",
	"DiagnosticReport",
	"DocumentReference",
	"Encounter",
	"Endpoint",
	"EpisodeOfCare",
	"ExplanationOfBenefit",
	"FamilyMemberHistory",
	"Flag",
	"Goal",
	"Group",
	"HealthcareService",
	"ImagingStudy",
	"Immunization",
	"List",
	"Location",
	"Media",
	"Medication",
	"MedicationAdministration",
	"MedicationDispense",
	"MedicationRequest",
	"MedicationStatement",
	"MessageHeader",
	"NutritionOrder",
	"Observation",
	"OperationOutcome",
	"Organization",
	"Patient",
	"Person",
	"Practitioner",
	"PractitionerRole",
	"Procedure",
	"Provenance",
	"Questionnaire",
	"QuestionnaireResponse",
	"RelatedPerson",
	"RiskAssessment",
	"Schedule",
	"ServiceRequest",
	"Slot",
	"Specimen",
	"StructureDefinition",
	"Subscription",
	"Substance",
	"SupplyRequest",
	"Task",
	"ValueSet",
	"VisionPrescription",
};

enum interaction {
	NO_INTERACTION,
	READ,
	VREAD,
	SEARCH,
	CREATE,
	UPDATE,
	PATCH,
	REMOVE,
	HISTORY,
	CAPABILITIES,
	EVERYTHING,
	EXPORT,
	OPERATION,
	BATCH,
};

static const char *const interactions[] = {
	[NO_INTERACTION] = "",       [READ] = "read",
	[VREAD] = "vread",           [SEARCH] = "search",
	[CREATE] = "create",         [UPDATE] = "update",
	[PATCH] = "patch",           [REMOVE] = "delete",
	[HISTORY] = "history",       [CAPABILITIES] = "capabilities",
	[EVERYTHING] = "everything", [EXPORT] = "export",
	[OPERATION] = "operation",   [BATCH] = "batch",
};

static const struct action {
	const char *ending, *word, *api;
	bool sets;
} actions[] = {
	{ "iti:2007:RegistryStoredQuery", "RegistryStoredQuery", "xds", false },
	{ "iti:2007:ProvideAndRegisterDocumentSet-b", "ProvideAndRegisterDocumentSet-b", "xds",
	  false },
	{ "iti:2007:RetrieveDocumentSet", "RetrieveDocumentSet", "xds", false },
	{ "iti:2007:RegisterDocumentSet-b", "RegisterDocumentSet-b", "xds", false },
	{ "iti:2007:CrossGatewayQuery", "CrossGatewayQuery", "xds", false },
	{ "iti:2007:CrossGatewayRetrieve", "CrossGatewayRetrieve", "xds", false },
	{ "v3:PRPA_IN201305UV02", "PRPA_IN201305UV02", "hl7v3", false },
	{ "v3:PRPA_IN201309UV02", "PRPA_IN201309UV02", "hl7v3", false },
	{ "v3:PRPA_IN201301UV02", "PRPA_IN201301UV02", "hl7v3", false },
	{ "v3:PRPA_IN201302UV02", "PRPA_IN201302UV02", "hl7v3", false },
	{ "v3:PRPA_IN201304UV02", "PRPA_IN201304UV02", "hl7v3", false },
	{ "/GetService/GetMdib", "GetMdib", "sdc", false },
	{ "/GetService/GetMdState", "GetMdState", "sdc", false },
	{ "/GetService/GetMdDescription", "GetMdDescription", "sdc", false },
	{ "/SetService/SetValue", "SetValue", "sdc", true },
	{ "/SetService/SetString", "SetString", "sdc", true },
	{ "/SetService/Activate", "Activate", "sdc", true },
	{ "/SetService/SetMetricState", "SetMetricState", "sdc", true },
	{ "/SetService/SetAlertState", "SetAlertState", "sdc", true },
	{ "/SetService/SetComponentState", "SetComponentState", "sdc", true },
	{ "/ContextService/SetContextState", "SetContextState", "sdc", true },
	{ "/WaveformService/WaveformStream", "WaveformStream", "sdc", false },
};

/* A path's last five segments, and what stands behind the question mark. */
enum { SEGMENTS = 5 };

struct path {
	struct cursor segments[SEGMENTS]; /* the last one first */
	size_t count, depth;
	struct cursor query;
};

static void say(struct http_call *call, enum http_field field, const char *word)
{
	attributes_text(call->out, &http_fields[field], word, strlen(word));
}

static void say_api(struct http_call *call, const char *word)
{
	call->side->request.bits |= ASKED_CLINICAL;
	say(call, HTTP_API, word);
}

/* "/a/b?c" or "http://host/a/b?c". */
static struct path split(struct cursor target)
{
	struct path path = { .count = 0 };

	if (http_find(target, "http://") == 0) {
		cursor_skip(&target, strlen("http://"));
		http_until(&target, '/');
	}
	struct cursor names = http_until(&target, '?');
	path.query = target;
	while (cursor_left(&names)) {
		struct cursor segment = http_until(&names, '/');
		if (!cursor_left(&segment))
			continue;
		memmove(path.segments + 1, path.segments,
			sizeof(path.segments[0]) * (SEGMENTS - 1));
		path.segments[0] = segment;
		path.count += path.count < SEGMENTS;
		path.depth++;
	}
	return path;
}

static bool same(struct cursor c, const char *word)
{
	size_t n = strlen(word);

	return cursor_left(&c) == n && cursor_starts(&c, word);
}

/* Of a resource type, plus one; 0: it is none. */
static uint8_t resource_of(struct cursor c)
{
	if (cursor_peek(&c, 0) < 'A' || cursor_peek(&c, 0) > 'Z')
		return 0;
	for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++)
		if (same(c, resources[i]))
			return (uint8_t)(i + 1);
	return 0;
}

/* _count=1000 and more. */
static bool asks_large_pages(struct cursor query)
{
	size_t at = http_find(query, "_count=");
	size_t digits = 0;

	if (at == SIZE_MAX)
		return false;
	cursor_skip(&query, at + strlen("_count="));
	while (cursor_peek(&query, digits) >= '0' && cursor_peek(&query, digits) <= '9')
		digits++;
	return digits >= PAGE_DIGITS && cursor_peek(&query, 0) != '0';
}

/* ---- FHIR ---- */

static enum interaction operation_of(struct cursor name)
{
	if (same(name, "$everything"))
		return EVERYTHING;
	return same(name, "$export") ? EXPORT : OPERATION;
}

/* By what is behind the type, and the method. */
static enum interaction interaction_of(const struct path *path, size_t type, const char *method)
{
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");

	if (cursor_peek(&path->segments[0], 0) == '$')
		return operation_of(path->segments[0]);
	if (same(path->segments[0], "_search"))
		return SEARCH;
	if (same(path->segments[0], "_history"))
		return HISTORY;
	if (type >= 2 && same(path->segments[1], "_history"))
		return VREAD;
	if (type == 0)
		return reads ? SEARCH : !strcmp(method, "POST") ? CREATE : UPDATE;
	if (reads)
		return READ;
	return !strcmp(method, "PUT") ? UPDATE : !strcmp(method, "DELETE") ? REMOVE : PATCH;
}

static void classify_fhir(struct http_call *call, const struct path *path, const char *method)
{
	struct http_request *request = &call->side->request;
	bool named = false;

	for (size_t i = 0; i < path->count; i++)
		named |= http_find(path->segments[i], "fhir") == 0;
	for (size_t i = 0; i < path->count && i < 4 && !request->resource; i++) {
		request->resource = resource_of(path->segments[i]);
		if (request->resource)
			request->interaction = (uint8_t)interaction_of(path, i, method);
	}
	if (!request->resource && path->count) {
		bool about_itself = same(path->segments[0], "metadata") ||
				    same(path->segments[0], "smart-configuration");
		if (about_itself)
			request->interaction = CAPABILITIES;
		else if (cursor_peek(&path->segments[0], 0) == '$')
			request->interaction = (uint8_t)operation_of(path->segments[0]);
		else if (named && path->segments[0].at && !strcmp(method, "POST"))
			request->interaction = BATCH;
	}
	if (!request->resource && !request->interaction)
		return;
	request->bits |= ASKED_FHIR;
	if (request->interaction != CAPABILITIES)
		request->bits |= ASKED_PATIENTS;
	if (request->interaction == EVERYTHING || request->interaction == EXPORT ||
	    asks_large_pages(path->query))
		request->bits |= ASKED_BULK;
	if (named)
		http_confirm_fhir(call, request);
}

void http_confirm_fhir(struct http_call *call, struct http_request *request)
{
	if (!(request->bits & ASKED_FHIR) || request->bits & ASKED_CLINICAL)
		return;
	request->bits |= ASKED_CLINICAL;
	say(call, HTTP_API, "fhir");
	say(call, HTTP_FHIR_INTERACTION, interactions[request->interaction]);
	if (request->resource)
		say(call, HTTP_FHIR_RESOURCE, resources[request->resource - 1]);
}

/* ---- DICOMweb ---- */

static const char *dicomweb_of(const struct path *path, size_t studies, const char *method)
{
	static const char *const parts[] = { "metadata", "rendered", "thumbnail", "bulkdata" };

	if (!strcmp(method, "POST"))
		return "stow";
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (same(path->segments[0], parts[i]))
			return "wado-rs";
	/* A list ends in a kind, an object in its UID. */
	bool list = same(path->segments[0], "studies") || same(path->segments[0], "series") ||
		    same(path->segments[0], "instances");
	return list ? "qido" : studies ? "wado-rs" : "qido";
}

static void say_dicomweb(struct http_call *call, const char *word)
{
	call->side->request.bits |= ASKED_PATIENTS;
	say_api(call, "dicomweb");
	say(call, HTTP_DICOMWEB, word);
}

/* `/studies` alone may be anybody's: a name before it, or the media type, makes it so. */
static bool is_below_dicomweb(const struct path *path)
{
	static const char *const names[] = { "dicom-web", "dicomweb", "dicom",   "wado-rs", "wado",
					     "pacs",      "rs",       "qido-rs", "stow-rs" };

	for (size_t i = 0; i < path->count; i++)
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++)
			if (http_is(path->segments[i], names[n]))
				return true;
	return false;
}

static void classify_dicomweb(struct http_call *call, const struct path *path, const char *method)
{
	if (http_find(path->query, "requestType=WADO") != SIZE_MAX) {
		say_dicomweb(call, "wado-uri");
		return;
	}
	if (path->depth > SEGMENTS) { /* an instance's frames: deep, and below a study's UID */
		if (same(path->segments[1], "frames") || same(path->segments[1], "instances"))
			say_dicomweb(call, "wado-rs");
		return;
	}
	if (!is_below_dicomweb(path))
		return;
	for (size_t i = 0; i < path->count; i++) {
		if (same(path->segments[i], "studies"))
			say_dicomweb(call, dicomweb_of(path, i, method));
		if (same(path->segments[i], "workitems"))
			say_dicomweb(call, "ups");
	}
}

/* Orthanc's own interface, where it usually is. */
static void classify_orthanc(struct http_call *call, const struct path *path, uint16_t server_port)
{
	static const char *const roots[] = { "patients", "studies", "series", "instances" };

	if (server_port != ORTHANC_PORT || !path->depth || path->depth > SEGMENTS)
		return;
	struct cursor root = path->segments[path->depth - 1];
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (same(root, roots[i])) {
			call->side->request.bits |= ASKED_PATIENTS;
			say_api(call, "orthanc");
		}
	if (same(root, "system") || same(root, "modalities") || same(root, "tools"))
		say_api(call, "orthanc");
}

void http_classify_path(struct http_call *call, struct cursor target, const char *method,
			uint16_t server_port)
{
	struct path path = split(target);

	classify_dicomweb(call, &path, method);
	if (call->side->request.bits & ASKED_CLINICAL)
		return;
	classify_orthanc(call, &path, server_port);
	if (!(call->side->request.bits & ASKED_CLINICAL))
		classify_fhir(call, &path, method);
}

void http_classify_action(struct http_call *call, struct cursor action)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (http_find(action, actions[i].ending) == SIZE_MAX)
			continue;
		call->side->request.bits |= ASKED_PATIENTS;
		say_api(call, actions[i].api);
		say(call, HTTP_SOAP_ACTION, actions[i].word);
		if (actions[i].sets)
			attributes_add(call->out, &http_fields[HTTP_SDC_SETS], 1);
		return;
	}
}

/* Envelope, Header, Action: behind the Header it is not. */
static bool may_come(struct xml *xml)
{
	if (xml->depth == 1)
		return xml_is(xml, "Envelope");
	xml->keep = xml->depth == 3 && xml_is(xml, "Action");
	return !xml_is(xml, "Body");
}

/* Who asks may stand beside the action (WS-Security): whether anybody asked without a
 * name is not judged by it, as the request is remembered already. */
void http_look_for_action(struct http_call *call, struct cursor body)
{
	struct http *flow = call->flow;

	while (flow->soap && cursor_left(&body)) {
		size_t before = cursor_left(&body);
		enum xml_event event = xml_next(&flow->xml, &body);
		flow->looked += (uint16_t)(before - cursor_left(&body));
		if (event == XML_BAD || flow->looked > HTTP_SOAP_MOST) {
			flow->soap = false;
		} else if (event == XML_OPEN) {
			flow->soap = may_come(&flow->xml);
		} else if (event == XML_WORD) {
			http_classify_action(call,
					     cursor_of(flow->xml.value, flow->xml.value_length));
			flow->soap = false;
		}
	}
}

/* Of an answer, the oldest request without one is meant. */
static struct http_request *subject(struct http_call *call)
{
	struct http *flow = call->flow;

	if (!call->side->answer)
		return &call->side->request;
	return flow->count ? &flow->waiting[flow->first] : NULL;
}

void http_classify_type(struct http_call *call, struct cursor type)
{
	struct http_request *request = subject(call);

	if (http_find(type, "/fhir+") != SIZE_MAX || http_find(type, "+fhir") != SIZE_MAX) {
		if (request)
			http_confirm_fhir(call, request);
	} else if (http_find(type, "application/dicom") != SIZE_MAX) {
		if (request)
			request->bits |= ASKED_CLINICAL;
		say(call, HTTP_API, "dicomweb");
	} else if (http_find(type, "action=") != SIZE_MAX) {
		http_classify_action(call, type);
	}
}
