// Finds the server by each of its documents, and the server by the protected resource.
import * as oauth from 'oauth4webapi';

import { discovered } from './client.js';
import { hear, tell } from './talk.js';

const given = await hear();
const insecure = { [oauth.allowInsecureRequests]: true };
const oidc = await discovered({ ...given, algorithm: 'oidc' });
const oauth2 = await discovered({ ...given, algorithm: 'oauth2' });
const resource = new URL('/graphql', given.issuer);
const told = await oauth.resourceDiscoveryRequest(resource, insecure);

tell({
  oidc: oidc.serverMetadata(),
  oauth2: oauth2.serverMetadata(),
  resource: await oauth.processResourceDiscoveryResponse(resource, told),
});
