# SPDX-License-Identifier: Apache-2.0
"""Every protocol that canaries are planted into."""
import plant_building
import plant_clinical
import plant_devices
import plant_discovery
import plant_industry
import plant_remote
import plant_tls
import plant_web

FAMILIES = (plant_clinical, plant_devices, plant_web, plant_tls, plant_remote, plant_building,
            plant_industry, plant_discovery)
ROWS = [row for family in FAMILIES for row in family.ROWS]
