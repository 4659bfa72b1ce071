// SPDX-License-Identifier: Apache-2.0
//
// A BACnet device and a station that works on it, by npm's node-bacnet.
//
// usage: bacnet.js device ADDRESS BROADCAST      (until it is ended)
//        bacnet.js station ADDRESS BROADCAST DEVICE
'use strict';
const Bacnet = require('node-bacnet');

const enums = Bacnet.enum;
const [role, address, broadcast, device] = process.argv.slice(2);
const client = new Bacnet({ interface: address, broadcastAddress: broadcast, apduTimeout: 1000 });
const text = (value) => [{ type: enums.ApplicationTag.CHARACTER_STRING, value }];

function serve() {
	client.on('whoIs', () => client.iAmResponse(null, 4711, enums.Segmentation.NO_SEGMENTATION, 7));
	client.on('readProperty', (asked) => {
		const { objectId, property } = asked.payload;
		if (objectId.type === 2)
			client.errorResponse(asked.header.sender, asked.service, asked.invokeId, 1, 31);
		else
			client.readPropertyResponse(asked.header.sender, asked.invokeId, objectId, property,
				text('ZZPHI Room 4 Smith'));
	});
	for (const name of ['writeProperty', 'writePropertyMultiple', 'deviceCommunicationControl'])
		client.on(name, (asked) => {
			client.simpleAckResponse(asked.header.sender, asked.service, asked.invokeId);
		});
	client.on('reinitializeDevice', (asked) => {
		client.errorResponse(asked.header.sender, asked.service, asked.invokeId, 4, 26);
	});
}

function work() {
	const to = { address: device };
	const real = (value) => [{ type: enums.ApplicationTag.REAL, value }];
	const steps = [
		(next) => { client.whoIs(); setTimeout(next, 300); },
		(next) => client.readProperty(to, { type: 8, instance: 4711 }, 77, next),
		(next) => client.readProperty(to, { type: 2, instance: 9 }, 85, next),
		(next) => client.writeProperty(to, { type: 1, instance: 2 }, 85, real(42), { priority: 8 }, next),
		(next) => client.writePropertyMultiple(to, [{
			objectId: { type: 8, instance: 4711 },
			values: [{ property: { id: 28, index: 0xffffffff }, value: text('ZZPHI Room 5'), priority: 16 }],
		}], {}, next),
		(next) => client.deviceCommunicationControl(to, 5, 1, { password: 'ZZSECRET' }, next),
		(next) => client.reinitializeDevice(to, 0, { password: 'ZZSECRET' }, next),
		(next) => { client.timeSync(to, new Date(0)); setTimeout(next, 100); },
	];
	const walk = () => {
		const step = steps.shift();
		if (step)
			step(() => setImmediate(walk));
		else
			process.exit(0);
	};
	walk();
}

client.on('listening', () => (role === 'device' ? serve() : work()));
client.on('error', (error) => console.error(error));
setTimeout(() => role === 'station' && process.exit(1), 15000);
