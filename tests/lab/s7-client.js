// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes variables of an S7 controller (nodes7).
//
// usage: s7-client.js HOST PORT
const NodeS7 = require("nodes7");

const client = new NodeS7({ silent: true });
client.initiateConnection({ host: process.argv[2], port: Number(process.argv[3]), rack: 0, slot: 2 },
	(failed) => {
		if (failed)
			process.exit(1);
		client.setTranslationCB((tag) => ({ LEVEL: "DB1,REAL0", RUN: "M0.0" }[tag]));
		client.addItems(["LEVEL", "RUN"]);
		client.readAllItems(() => {
			client.writeItems(["LEVEL", "RUN"], [21.5, true], () => {
				client.dropConnection(() => process.exit(0));
			});
		});
	});
