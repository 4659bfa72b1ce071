// SPDX-License-Identifier: Apache-2.0
//
// A FHIR client's day, with fhir-kit-client of npm. usage: fhir-client.mjs BASE-URL
import { Client } from 'fhir-kit-client';

async function attempt(what) {
	try {
		await what();
	} catch (error) {
		console.log(error.message);
	}
}

async function main() {
	const client = new Client({ baseUrl: process.argv[2] });
	const observation = {
		resourceType: 'Observation', status: 'final', subject: { display: 'ZZPHI^CANARY' },
	};

	await attempt(() => client.capabilityStatement());
	await attempt(() => client.search({
		resourceType: 'Patient', searchParams: { family: 'ZZPHI', birthdate: '1970-01-01' },
	}));
	await attempt(() => client.search({
		resourceType: 'Patient', searchParams: { _count: 1000, name: 'ZZPHI' },
	}));
	await attempt(() => client.read({ resourceType: 'Patient', id: 'ZZPHI1' }));
	await attempt(() => client.vread({ resourceType: 'Patient', id: 'ZZPHI1', version: '2' }));
	await attempt(() => client.operation({
		name: '$everything', resourceType: 'Patient', id: 'ZZPHI1', method: 'GET',
	}));
	await attempt(() => client.delete({ resourceType: 'Patient', id: 'ZZPHI1' }));
	client.bearerToken = 'ZZTOKEN-1';
	await attempt(() => client.create({ resourceType: 'Observation', body: observation }));
	await attempt(() => client.batch({
		body: { resourceType: 'Bundle', type: 'batch', entry: [{ resource: observation }] },
	}));
	await attempt(() => client.delete({ resourceType: 'Patient', id: 'ZZPHI1' }));
}

await main();
