# SPDX-License-Identifier: Apache-2.0
"""Every protocol that canaries are planted into."""
import plant_clinical
import plant_devices
import plant_web

ROWS = plant_clinical.ROWS + plant_devices.ROWS + plant_web.ROWS
