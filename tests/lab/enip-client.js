// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes a tag of a Logix controller (st-ethernet-ip).
//
// usage: enip-client.js HOST
const { Controller, Tag } = require("st-ethernet-ip");

(async () => {
	const controller = new Controller();
	await controller.connect(process.argv[2], 0, false);
	const tag = new Tag("ZZPHI_level", null, 0xc4);
	await controller.readTag(tag);
	tag.value = 4711;
	await controller.writeTag(tag);
	await controller.disconnect();
	process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
