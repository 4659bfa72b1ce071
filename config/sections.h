/* SPDX-License-Identifier: Apache-2.0
 *
 * The sections of sensor.yaml: the sensor and the shipper read the same file, each what
 * concerns it, and neither takes the other's for a mistake. */
#pragma once

#define SENSOR_SECTIONS \
	"sensor", "site", "spool", "geo", "flows", "timeouts", "dissectors", "dpi", "capture", \
		"realms", "exercise", "destinations", "user", "status", "shed", "assets"
