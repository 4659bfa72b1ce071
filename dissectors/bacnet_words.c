/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers of ANSI/ASHRAE 135 in words, and the vendor identifiers that a hospital
 * is likely to meet (the list is kept at bacnet.org). */
#include "dissectors/bacnet_internal.h"

#include <stdio.h>

/* clang-format off */
static const char *const object_types[] = {
	"analog-input", "analog-output", "analog-value", "binary-input", "binary-output",
	"binary-value", "calendar", "command", "device", "event-enrollment", "file",
	"group", "loop", "multi-state-input", "multi-state-output", "notification-class",
	"program", "schedule", "averaging", "multi-state-value", "trend-log",
	"life-safety-point", "life-safety-zone", "accumulator", "pulse-converter",
	"event-log", "global-group", "trend-log-multiple", "load-control",
	"structured-view", "access-door", "timer", "access-credential", "access-point",
	"access-rights", "access-user", "access-zone", "credential-data-input",
	"network-security", "bitstring-value", "characterstring-value",
	"date-pattern-value", "date-value", "datetime-pattern-value", "datetime-value",
	"integer-value", "large-analog-value", "octetstring-value",
	"positive-integer-value", "time-pattern-value", "time-value",
	"notification-forwarder", "alert-enrollment", "channel", "lighting-output",
	"binary-lighting-output", "network-port", "elevator-group", "escalator", "lift",
	"staging", "audit-log", "audit-reporter", "color", "color-temperature",
};

static const char *const properties[] = {
	"acked-transition", "ack-required", "action", "action-text", "active-text",
	"active-vt-sessions", "alarm-value", "alarm-values", "all",
	"all-writes-successful", "apdu-segment-timeout", "apdu-timeout",
	"application-software-version", "archive", "bias", "change-of-state-count",
	"change-of-state-time", "notification-class", NULL,
	"controlled-variable-reference", "controlled-variable-units",
	"controlled-variable-value", "cov-increment", "date-list",
	"daylight-savings-status", "deadband", "derivative-constant",
	"derivative-constant-units", "description", "description-of-halt",
	"device-address-binding", "device-type", "effective-period", "elapsed-active-time",
	"error-limit", "event-enable", "event-state", "event-type", "exception-schedule",
	"fault-values", "feedback-value", "file-access-method", "file-size", "file-type",
	"firmware-revision", "high-limit", "inactive-text", "in-process", "instance-of",
	"integral-constant", "integral-constant-units", "issue-confirmed-notifications",
	"limit-enable", "list-of-group-members", "list-of-object-property-references",
	"list-of-session-keys", "local-date", "local-time", "location", "low-limit",
	"manipulated-variable-reference", "maximum-output", "max-apdu-length-accepted",
	"max-info-frames", "max-master", "max-pres-value", "minimum-off-time",
	"minimum-on-time", "minimum-output", "min-pres-value", "model-name",
	"modification-date", "notify-type", "number-of-apdu-retries", "number-of-states",
	"object-identifier", "object-list", "object-name", "object-property-reference",
	"object-type", "optional", "out-of-service", "output-units", "event-parameters",
	"polarity", "present-value", "priority", "priority-array", "priority-for-writing",
	"process-identifier", "program-change", "program-location", "program-state",
	"proportional-constant", "proportional-constant-units",
	"protocol-conformance-class", "protocol-object-types-supported",
	"protocol-services-supported", "protocol-version", "read-only", "reason-for-halt",
	"recipient", "recipient-list", "reliability", "relinquish-default", "required",
	"resolution", "segmentation-supported", "setpoint", "setpoint-reference",
	"state-text", "status-flags", "system-status", "time-delay",
	"time-of-active-time-reset", "time-of-state-count-reset",
	"time-synchronization-recipients", "units", "update-interval", "utc-offset",
	"vendor-identifier", "vendor-name", "vt-class-supported", "weekly-schedule",
	"attempted-samples", "average-value", "buffer-size", "client-cov-increment",
	"cov-resubscription-interval", "current-notify-time", "event-time-stamp",
	"log-buffer", "log-device-object-property", "enable", "log-interval",
	"maximum-value", "minimum-value", "notification-threshold", "previous-notify-time",
	"protocol-revision", "records-since-notification", "record-count", "start-time",
	"stop-time", "stop-when-full", "total-record-count", "valid-samples",
	"window-interval", "window-samples", "maximum-value-time-stamp",
	"minimum-value-time-stamp", "variance-value", "active-cov-subscriptions",
	"backup-failure-timeout", "configuration-files", "database-revision",
	"direct-reading", "last-restore-time", "maintenance-required", "member-of", "mode",
	"operation-expected", "setting", "silenced", "tracking-value", "zone-members",
	"life-safety-alarm-values", "max-segments-accepted", "profile-name",
	"auto-slave-discovery", "manual-slave-address-binding", "slave-address-binding",
	"slave-proxy-enable", "last-notify-record", "schedule-default", "accepted-modes",
	"adjust-value", "count", "count-before-change", "count-change-time", "cov-period",
	"input-reference", "limit-monitoring-interval", "logging-object", "logging-record",
	"prescale", "pulse-rate", "scale", "scale-factor", "update-time",
	"value-before-change", "value-set", "value-change-time", "align-intervals",
	"group-member-names", "interval-offset", "last-restart-reason", "logging-type",
	"member-status-flags", "notification-period", "previous-notify-record",
	"requested-update-interval", "restart-notification-recipients",
	"time-of-device-restart", "time-synchronization-interval", "trigger",
	"utc-time-synchronization-recipients", "node-subtype", "node-type",
	"structured-object-list",
};

static const char *const error_classes[] = {
	"device", "object", "property", "resources", "security", "services", "vt",
	"communication",
};

static const char *const error_codes[] = {
	"other", "authentication-failed", "configuration-in-progress", "device-busy",
	"dynamic-creation-not-supported", "file-access-denied",
	"incompatible-security-levels", "inconsistent-parameters",
	"inconsistent-selection-criterion", "invalid-data-type",
	"invalid-file-access-method", "invalid-file-start-position",
	"invalid-operator-name", "invalid-parameter-data-type", "invalid-time-stamp",
	"key-generation-error", "missing-required-parameter",
	"no-objects-of-specified-type", "no-space-for-object",
	"no-space-to-add-list-element", "no-space-to-write-property",
	"no-vt-sessions-available", "property-is-not-a-list",
	"object-deletion-not-permitted", "object-identifier-already-exists",
	"operational-problem", "password-failure", "read-access-denied",
	"security-not-supported", "service-request-denied", "timeout", "unknown-object",
	"unknown-property", NULL, "unknown-vt-class", "unknown-vt-session",
	"unsupported-object-type", "value-out-of-range", "vt-session-already-closed",
	"vt-session-termination-failure", "write-access-denied",
	"character-set-not-supported", "invalid-array-index", "cov-subscription-failed",
	"not-cov-property", "optional-functionality-not-supported",
	"invalid-configuration-data", "datatype-not-supported", "duplicate-name",
	"duplicate-object-id", "property-is-not-an-array", "abort-buffer-overflow",
	"abort-invalid-apdu-in-this-state", "abort-preempted-by-higher-priority-task",
	"abort-segmentation-not-supported", "abort-proprietary", "abort-other",
	"invalid-tag", "network-down", "reject-buffer-overflow",
	"reject-inconsistent-parameters", "reject-invalid-parameter-data-type",
	"reject-invalid-tag", "reject-missing-required-parameter",
	"reject-parameter-out-of-range", "reject-too-many-arguments",
	"reject-undefined-enumeration", "reject-unrecognized-service",
	"reject-proprietary", "reject-other", "unknown-device", "unknown-route",
	"value-not-initialized", "invalid-event-state", "no-alarm-configured",
	"log-buffer-full", "logged-value-purged", "no-property-specified",
	"not-configured-for-triggered-logging", "unknown-subscription",
	"parameter-out-of-range", "list-element-not-found", "busy",
	"communication-disabled", "success", "access-denied", "bad-destination-address",
	"bad-destination-device-id", "bad-signature", "bad-source-address",
	"bad-timestamp", "cannot-use-key", "cannot-verify-message-id",
	"correct-key-revision", "destination-device-id-required", "duplicate-message",
	"encryption-not-configured", "encryption-required", "incorrect-key",
	"invalid-key-data", "key-update-in-progress", "malformed-message",
	"not-key-server", "security-not-configured", "source-security-required",
	"too-many-keys", "unknown-authentication-type", "unknown-key",
	"unknown-key-revision", "unknown-source-message", "not-router-to-dnet",
	"router-busy", "unknown-network-message", "message-too-long", "security-error",
	"addressing-error", "write-bdt-failed", "read-bdt-failed",
	"register-foreign-device-failed", "read-fdt-failed", "delete-fdt-entry-failed",
	"distribute-broadcast-failed", "unknown-file-size", "abort-apdu-too-long",
	"abort-application-exceeded-reply-time", "abort-out-of-resources",
	"abort-tsm-timeout", "abort-window-size-out-of-range", "file-full",
	"inconsistent-configuration", "inconsistent-object-type", "internal-error",
	"not-configured", "out-of-memory", "value-too-long", "abort-insufficient-security",
	"abort-security-error", "duplicate-entry", "invalid-value-in-this-state",
	"invalid-operation-in-this-state", "list-item-not-numbered",
	"list-item-not-timestamped", "invalid-data-encoding",
};

static const char *const reject_reasons[] = {
	"other", "buffer-overflow", "inconsistent-parameters",
	"invalid-parameter-data-type", "invalid-tag", "missing-required-parameter",
	"parameter-out-of-range", "too-many-arguments", "undefined-enumeration",
	"unrecognized-service",
};

static const char *const abort_reasons[] = {
	"other", "buffer-overflow", "invalid-apdu-in-this-state",
	"preempted-by-higher-priority-task", "segmentation-not-supported",
	"security-error", "insufficient-security", "window-size-out-of-range",
	"application-exceeded-reply-time", "out-of-resources", "tsm-timeout",
	"apdu-too-long",
};

static const char *const network_messages[] = {
	"who-is-router", "i-am-router", "i-could-be-router", "reject-message", "router-busy",
	"router-available", "initialize-routing-table", "initialize-routing-table-ack",
	"establish-connection", "disconnect-connection", "challenge-request", "security-payload",
	"security-response", "request-key-update", "update-key-set", "update-distribution-key",
	"request-master-key", "set-master-key", "what-is-network-number", "network-number-is",
};

static const char *const restarts[] = {
	"coldstart", "warmstart", "start-backup", "end-backup", "start-restore", "end-restore",
	"abort-restore", "activate-changes",
};

static const char *const controls[] = { "enable", "disable", "disable-initiation" };

static const struct {
	unsigned id;
	const char *name;
} vendors[] = {
	{ 2, "Trane" }, { 5, "Johnson Controls" }, { 7, "Siemens" }, { 8, "Delta Controls" },
	{ 10, "Schneider Electric" }, { 16, "Carrier" }, { 17, "Honeywell" }, { 18, "Alerton" },
	{ 24, "Automated Logic" }, { 35, "Reliable Controls" }, { 36, "Tridium" },
	{ 133, "Veris Industries" }, { 142, "DEOS" }, { 178, "LOYTEC" }, { 222, "WAGO" },
	{ 260, "BACnet Stack" }, { 313, "Siemens" }, { 364, "Distech Controls" },
	{ 423, "BELIMO" },
};
/* clang-format on */

#define WORDS(list, other) \
	{ \
		list, sizeof(list) / sizeof(*(list)), other \
	}

static const struct {
	const char *const *words;
	size_t count;
	const char *other; /* in front of a number that has no word */
} lists[] = {
	[WORD_OBJECT_TYPE] = WORDS(object_types, "type"),
	[WORD_PROPERTY] = WORDS(properties, "property"),
	[WORD_ERROR_CLASS] = WORDS(error_classes, "class"),
	[WORD_ERROR_CODE] = WORDS(error_codes, "code"),
	[WORD_REJECT] = WORDS(reject_reasons, "reason"),
	[WORD_ABORT] = WORDS(abort_reasons, "reason"),
	[WORD_NETWORK] = WORDS(network_messages, "message"),
	[WORD_RESTART] = WORDS(restarts, "state"),
	[WORD_CONTROL] = WORDS(controls, "state"),
};

void bacnet_word(const struct bacnet_call *call, unsigned field, enum bacnet_list list, uint32_t n)
{
	char text[24];
	const char *word = n < lists[list].count ? lists[list].words[n] : NULL;

	if (!word) {
		snprintf(text, sizeof(text), "%s-%u", lists[list].other, n);
		word = text;
	}
	attributes_text(call->out, &bacnet_fields[field], word, strlen(word));
}

const char *bacnet_vendor(unsigned id)
{
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		if (vendors[i].id == id)
			return vendors[i].name;
	return NULL;
}
