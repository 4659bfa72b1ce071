# SPDX-License-Identifier: Apache-2.0
"""Every protocol that canaries are planted into."""
import plant_clinical
import plant_devices
import plant_remote
import plant_tls
import plant_web

FAMILIES = (plant_clinical, plant_devices, plant_web, plant_tls, plant_remote)
ROWS = [row for family in FAMILIES for row in family.ROWS]
