// SPDX-License-Identifier: Apache-2.0
//
// An OPC UA client (node-opcua) that reads, writes, calls, browses and subscribes.
//
// usage: opcua-client.js URL FOLDER None|Basic256Sha256 None|Sign|SignAndEncrypt [USER PASSWORD]
const path = require("path");
const { OPCUAClient, UserTokenType, AttributeIds } = require("node-opcua-client");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { DataType } = require("node-opcua-variant");

(async () => {
	const [url, folder, policy, mode, userName, password] = process.argv.slice(2);
	const client = OPCUAClient.create({
		applicationName: "ZZPHI-client",
		endpointMustExist: false,
		securityPolicy: SecurityPolicy[policy],
		securityMode: MessageSecurityMode[mode],
		connectionStrategy: { maxRetry: 1 },
		clientCertificateManager: new OPCUACertificateManager({
			automaticallyAcceptUnknownCertificate: true,
			rootFolder: path.join(folder, "client"),
		}),
	});
	await client.connect(url);
	const session = await client.createSession(
		userName ? { type: UserTokenType.UserName, userName, password } : undefined);
	const nodeId = "ns=1;s=ZZPHI-temperature";
	await session.browse("RootFolder");
	await session.read({ nodeId, attributeId: AttributeIds.Value });
	await session.write({ nodeId, attributeId: AttributeIds.Value,
		value: { value: { dataType: DataType.Double, value: 21.5 } } });
	const objects = await session.browse("ObjectsFolder");
	const device = objects.references.find((r) => r.browseName.name === "ZZPHI-device");
	await session.call({ objectId: device.nodeId, methodId: "ns=1;s=ZZPHI-method",
		inputArguments: [] });
	await session.close();
	await client.disconnect();
})().catch((error) => { console.error(String(error)); process.exit(1); });
