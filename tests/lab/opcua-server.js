// SPDX-License-Identifier: Apache-2.0
//
// An OPC UA server (node-opcua) with one variable that can be written and one method.
//
// usage: opcua-server.js PORT FOLDER      certificates are made in FOLDER
const path = require("path");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { Variant, DataType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");

(async () => {
	const server = new OPCUAServer({
		port: Number(process.argv[2]),
		resourcePath: "/ZZPHI",
		buildInfo: { productName: "Demo" },
		disableDiscovery: true,
		serverCertificateManager: new OPCUACertificateManager({
			automaticallyAcceptUnknownCertificate: true,
			rootFolder: path.join(process.argv[3], "server"),
		}),
		userManager: { isValidUser: (user, password) => password === "ZZSECRET" },
	});
	await server.initialize();
	const space = server.engine.addressSpace.getOwnNamespace();
	const device = space.addObject({
		organizedBy: server.engine.addressSpace.rootFolder.objects,
		browseName: "ZZPHI-device",
	});
	let value = 20.5;
	space.addVariable({
		componentOf: device,
		nodeId: "s=ZZPHI-temperature",
		browseName: "Temperature",
		dataType: "Double",
		value: {
			get: () => new Variant({ dataType: DataType.Double, value }),
			set: (v) => { value = v.value; return StatusCodes.Good; },
		},
	});
	const method = space.addMethod(device, {
		nodeId: "s=ZZPHI-method",
		browseName: "Start",
		inputArguments: [],
		outputArguments: [],
	});
	method.bindMethod((inputs, context, done) =>
		done(null, { statusCode: StatusCodes.Good, outputArguments: [] }));
	await server.start();
})();
